/** Languages that share a script with others, by ISO 639-1 code. */
export type LanguageCode =
  | "en"
  | "de"
  | "fr"
  | "es"
  | "pt"
  | "it"
  | "nl"
  | "fi"
  | "sv"
  | "da"
  | "no"
  | "sw"
  | "vi"
  | "pl"
  | "tr"
  | "id"
  | "hi"
  | "mr"
  | "ne"
  | "ar"
  | "fa"
  | "ur"
  | "ru"
  | "bg"
  | "uk";

/** Frequent words with little meaning of their own, which nearly every sentence of a language has some of. */
const WORDS: Readonly<Record<LanguageCode, string>> = {
  en: "the of and to in a is that it for was on are as with his they be at this have from or had by but not what all were we when your can said there an which she do how their if will up other about out many then them these so some her would make like him into has more two my been who its now than only any new could after no over just our because most where should i you he me",
  de: "der die das und in den von zu mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man sein wurde ich du wir ihr mein dein kein wenn unser diese dieser alle",
  fr: "le la les de des du et à un une en est que qui dans pour pas sur au par plus ne se ce il elle sont avec aux ont mais nous vous je tu mon son sa ses leur cette ces été être avoir comme ou où si tout tous très aussi sans même fait y",
  es: "el la los las de del y que en un una es por con no se para al lo como más pero sus le ya o este sí porque esta entre cuando muy sin sobre también me hasta hay donde quien desde todo nos durante todos uno les ni contra otros ese eso ante ellos e esto mí antes algunos qué unos yo otro otras otra él tanto esa estos mucho su ser son",
  pt: "o a os as de do da dos das e que em um uma é por com não se para no na nos nas ao mais como mas foi ele ela seu sua ou ser quando muito há já está eu também só pelo pela até isso entre era depois sem mesmo aos ter seus quem me esse eles você têm essa num nem suas meu às minha numa pelos todos são à",
  it: "il lo la i gli le di del della dei delle e che in un una è per con non si da al alla nel nella sono come più ma anche se o questo questa ha ho hanno mi ti ci suo sua loro essere dal dalla sul sulla quando tutti tutto tra fra molto dove chi cosa perché ed",
  nl: "de het een en van in is dat op te zijn met voor niet aan er om ook als maar hij zij ze naar uit bij nog wordt door over dan of je ik we wij deze dit die hun heeft hebben was waren kan meer al wat geen zo tot mijn worden alle",
  fi: "ja on ei se että en hän oli olla mutta tai kun niin myös ovat joka jos kuin mitä minä sinä me te he tämä nyt sen ole voi vain sitä mukaan kanssa jotka sekä hänen ne mikä koska siitä vielä kaikki jo ollut olen itse hyvin jälkeen näin ennen asti",
  sv: "och att det i en jag hon som han på den med var sig för så till är men ett om hade de av icke mig du henne då sin nu har inte hans honom skulle hennes där min man ej vid kunde något från ut när efter upp vi dem vara vad över än dig kan alla",
  da: "og i jeg det at en den til er som på de med han af for ikke der var mig sig men et har om vi min havde ham hun nu over da fra du ud sin dem os op man hans hvor eller hvad skal selv her alle vil blev kunne ind når være af",
  no: "og i jeg det at en et den til er som på de med han av ikke der så var meg seg men ett har om vi min mitt ha hadde hun nå over da ved fra du ut sin dem oss opp man kan hans hvor eller hva skal selv sjøl her alle vil bli ble blitt kunne inn når være noen noe ville",
  sw: "na ya wa kwa ni katika za la kama yake watu hii hiyo cha au lakini sana kuwa si mimi wewe yeye sisi wao huu hili hizo hicho yangu wangu yetu wake kila wote bila pia hata ili baada kabla moja mtu kutoka kwenye zaidi vya hayo alikuwa ana wana haki",
  vi: "và của là có được trong cho không các một người với những để đã này khi từ đó về tôi bạn cũng như nhưng thì mà sẽ ra vào lại rất nhiều hay hoặc đến ở bị chúng ta nó họ mọi",
  pl: "i w na z do się nie że to jest o jak ale po od za przez dla jego jej ich być są był była było tym tak co już tylko może czy oraz także gdy ja ty my wy oni który która które ma pod przed bez sobie wszystkie",
  tr: "ve bir bu da de için ile çok ne o gibi daha ama var mı ben sen biz siz onlar olarak kadar sonra olan her şey en ya ki değil bütün insanlar",
  id: "yang dan di dari untuk dengan ini itu pada adalah tidak dalam akan ke oleh juga saya kamu anda kami kita mereka ada bisa sudah atau karena lebih telah sebagai orang semua harus",
  hi: "है हैं के का की में और से को पर यह कि एक ने नहीं था थी थे हो भी जो कर वह तो इस लिए अपने तक या सभी आप मैं हम करने रहा गया साथ बहुत कुछ",
  mr: "आहे आहेत आणि च्या हे ही हा ते ती तो या मध्ये नाही साठी केले होते होता होती मी आपण त्या त्यांच्या करून असे एक व सर्व किंवा पण जे म्हणून खूप काही आम्ही तुम्ही आपल्या",
  ne: "छ छन् को का र मा हो ले लाई यो एक पनि भने गर्न गरेको थियो थिए हुन् हुन्छ छैन म तपाईं हामी तर सबै वा लागि संग देखि धेरै यस त्यो आफ्नो गर्ने",
  ar: "في من على إلى أن هذا هذه التي الذي ما لا هو هي كان عن مع أو كل ذلك بين لم قد بعد حتى إن كما عند ثم أنا نحن هم وهو و يا غير",
  fa: "و در به از که این را با است برای آن یک خود تا کرد بر هم نیز می شود شد باید هر یا اما ما من شما او آنها بود ها های اگر چه همه",
  ur: "کے کی کا ہے میں اور سے کو یہ ہیں پر نے کہ وہ ایک نہیں اس بھی تھا تھے تھی جو کر ہم آپ گیا لیے ان تو ہو یا تمام کیا اپنے ساتھ",
  ru: "и в не на я что он с как это по но они мы из у за от так же о все его для вы к то бы ты было только ее мне нет или ещё еще если уже при быть их чем была до вас был себя может когда кто этот",
  bg: "и на да се е за от в не с че са по ще съм си като но до при или това тази този тя той ние вие те как какво може само още ако много който която което бъде беше има няма са всички към",
  uk: "і в не на я що він з як це по але вони ми із у за від так же про всі його для ви до то би ти було тільки її мені немає або ще якщо вже при бути їх ніж була вас був себе може коли хто та є",
};

const sets = new Map<LanguageCode, ReadonlySet<string>>();

/** The function words of a language. */
export function functionWords(language: LanguageCode): ReadonlySet<string> {
  const known = sets.get(language);
  if (known !== undefined) return known;
  const words = new Set(WORDS[language].split(" "));
  sets.set(language, words);
  return words;
}
