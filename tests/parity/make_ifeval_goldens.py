"""Makes golden/ifeval.json with the checks of lm-evaluation-harness 0.4.13 (Google's instruction_following_eval),
langdetect 1.0.9 and NLTK 3.10 with its English Punkt model.

    python tests/parity/make_ifeval_goldens.py TEXT

TEXT is any English text file (a novel in the public domain); its paragraphs are for counting sentences and words.
"""

import json
import random
import re
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import nltk

# The harness itself needs many packages; its IFEval folder needs none of them.
root = Path(find_spec("lm_eval").submodule_search_locations[0])
for name, folder in (("lm_eval", root), ("lm_eval.tasks", root / "tasks"), ("lm_eval.tasks.ifeval", root / "tasks" / "ifeval")):
    module = types.ModuleType(name)
    module.__path__ = [str(folder)]
    sys.modules[name] = module

import langdetect  # noqa: E402
from lm_eval.tasks.ifeval import utils  # noqa: E402

langdetect.DetectorFactory.seed = 0

# Article 1 of the Universal Declaration of Human Rights.
LANGUAGES = {
    "en": "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act towards one another in a spirit of brotherhood.",
    "de": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen.",
    "fr": "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité.",
    "es": "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de razón y conciencia, deben comportarse fraternalmente los unos con los otros.",
    "pt": "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de consciência, devem agir uns para com os outros em espírito de fraternidade.",
    "it": "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza.",
    "nl": "Alle mensen worden vrij en gelijk in waardigheid en rechten geboren. Zij zijn begiftigd met verstand en geweten, en behoren zich jegens elkander in een geest van broederschap te gedragen.",
    "fi": "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu järki ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä.",
    "sw": "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri, hivyo yapasa watendeane kindugu.",
    "vi": "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền lợi. Mọi con người đều được tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình anh em.",
    "ru": "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью и должны поступать в отношении друг друга в духе братства.",
    "bg": "Всички хора се раждат свободни и равни по достойнство и права. Те са надарени с разум и съвест и следва да се отнасят помежду си в дух на братство.",
    "ar": "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميراً وعليهم أن يعامل بعضهم بعضاً بروح الإخاء.",
    "fa": "تمام افراد بشر آزاد به دنیا می‌آیند و از لحاظ حیثیت و حقوق با هم برابرند. همه دارای عقل و وجدان می‌باشند و باید نسبت به یکدیگر با روح برادری رفتار کنند.",
    "ur": "تمام انسان آزاد اور حقوق و عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔ انہیں ضمیر اور عقل ودیعت ہوئی ہے۔ اس لیے انہیں ایک دوسرے کے ساتھ بھائی چارے کا سلوک کرنا چاہیے۔",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए।",
    "mr": "सर्व मानवी व्यक्ति जन्मतःच स्वतंत्र आहेत व त्यांना समान प्रतिष्ठा व समान अधिकार आहेत. त्यांना विचारशक्ति व सदसद्विवेकबुद्धि लाभलेली आहे व त्यांनी एकमेकांशी बंधुत्वाच्या भावनेने आचरण करावे.",
    "ne": "सबै व्यक्तिहरू जन्मजात स्वतन्त्र हुन् ती सबैको समान अधिकार र महत्व छ। निजहरूमा विचार शक्ति र सद्विचार भएकोले निजहरूले आपसमा भातृत्वको भावनाबाट व्यवहार गर्नु पर्छ।",
    "kn": "ಎಲ್ಲಾ ಮಾನವರೂ ಸ್ವತಂತ್ರರಾಗಿಯೇ ಜನಿಸಿದ್ದಾರೆ. ಹಾಗೂ ಘನತೆ ಮತ್ತು ಹಕ್ಕುಗಳಲ್ಲಿ ಸಮಾನರಾಗಿದ್ದಾರೆ.",
    "gu": "પ્રતિષ્ઠા અને અધિકારોની દૃષ્ટિએ સર્વ માનવો જન્મથી સ્વતંત્ર અને સમાન હોય છે.",
    "te": "ప్రతిపత్తిస్వత్వముల విషయమున మానవులెల్లరును జన్మతః స్వతంత్రులును సమానులును నగుదురు.",
    "ta": "மனிதப் பிறிவியினர் சகலரும் சுதந்திரமாகவே பிறக்கின்றனர்; அவர்கள் மதிப்பிலும் உரிமைகளிலும் சமமானவர்கள்.",
    "bn": "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে।",
    "pa": "ਸਾਰਾ ਮਨੁੱਖੀ ਪਰਿਵਾਰ ਆਪਣੀ ਮਹਿਮਾ, ਸ਼ਾਨ ਅਤੇ ਹੱਕਾਂ ਦੇ ਪੱਖੋਂ ਜਨਮ ਤੋਂ ਹੀ ਆਜ਼ਾਦ ਹੈ।",
    "th": "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม",
    "ko": "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다.",
}

ANSWERS = [
    "", " \n", "Yes.", "My answer is yes.", "  My answer is no.  ", "I think my answer is maybe.", "*My answer is maybe.*",
    "Hello, world! This is a test. It has three sentences.", "No commas here at all.", "one two three", "ALL CAPITAL LETTERS HERE PLEASE, THANK YOU.",
    "all lower case letters, and nothing else is written here.", "Dr. Smith went to Washington D.C. on Jan. 5th. He met Mrs. Jones at 3 p.m. They talked.",
    "Wait... what? No! Really?! Yes.", "He said \"Stop.\" Then he left. (It was late.) Nobody came.", "Mr. J. K. Rowling lives in the U.K. She writes. See p. 5 and No. 7.",
    "* first\n* second\n* third", "- first\n- second", "  * indented\n** not a bullet **\n* yes\n-no space", "Intro\n* a\n- b\n\nEnd *highlight* and **bold**.",
    "*one* and *two* and **three**", "* * and ** ** and *x*", "*high\nlight*", "<<A Title>>\n\nText.", "<< >>", "<<>>", "text <<title>> text <<other>>",
    "Section 1\nfoo\nSection 2\nbar", "SECTION 1 foo SECTION 2 bar SECTION 3", "Section one", "PART 1\nPART2\nPart 3",
    "First response\n******\nSecond response", "Same\n******\nSame", "******a******b******", "a******b******c", "a****** ******b", "******",
    "First.\n***\nSecond.\n***\nThird.", "***\nFirst.\n***\nSecond.", "First.\n***\n***\nSecond.", "One *** Two***Three ***", "***",
    "First paragraph.\n\nSecond paragraph.\n\n\n\nThird.", "\"Weekend\" plans\n\nhello there.\n\nhello again", "Weekend, yes.\n\nWeekend's plan.\n\nweekend! now",
    "para one\n\n\n\nHello two", "{\"a\": 1, \"b\": [true, null]}", "```json\n{\"a\": 1}\n```", "```JSON\n[1, 2, 3]```", "```\n\"text\"\n```", "{a: 1}", "{\"a\": NaN}", "[1, 2,]", "{'a': 1}", "42",
    "Text body.\n\nP.S. More text.", "text\np. s. lower", "text\nP.P.S more", "P. P. S. spaced", "text\nPS no points", "p.p.s. and p.s. too",
    "[name] and [address] and [date]", "[] [a\nb] [c]", "[nested [x]] [y]", "\"Quoted answer.\"", "\"", "\"\"", "\"only start", " \"quoted\" ", "“curly quoted”",
    "Write a poem about rain. Here it is: rain, rain.", "write a POEM about rain. done", "Here: Write a poem about rain.", "The end. Is there anything else I can help with?",
    "is there anything else i can help with?\"", "Is there anything else I can help with? Yes.", "Keep the cat and the concat, CAT. Cats are not cat's.",
    "flower power FLOWER flowers", "NASA and the FBI don't agree; I DON'T KNOW. U.S.A. is OK, A-B C3PO (USA) \"CIA\" 'NSA' CANNOT", "I'M HERE. It's I who WON'T GO--NO!",
    "Hello\nWrite a poem about rain.\nMore", "Sure! Here is the answer:\n{\"a\": 1}", "Title\n\"quoted middle\"\nlast", "Line one, with comma\nline two without\nlast, comma",
    "eeeeee EEE e", "the letter z: zebra", "Ünïcödé wörds are counted as words_with_underscore 123 4,5", "日本語のテキスト", "A.B.C. and so on. e.g. this one, i.e. that. etc. Finally vs. the end.",
    "It costs $3.50. That is 5. Not 6. 7 is more!", "He paused.. then spoke. . . . And left.", "1. First item\n2. Second item\n3. Third item", "What?! \"Really?\" he asked. 'Sure.' She nodded.\n\nNew line without end",
] + list(LANGUAGES.values())[1:]

CONSTRAINTS = [
    ("keywords:existence", {"keywords": ["rain", "poem"]}), ("keywords:existence", {"keywords": ["cat"]}),
    ("keywords:frequency", {"keyword": "cat", "frequency": 4, "relation": "at least"}), ("keywords:frequency", {"keyword": " flower ", "frequency": 3, "relation": "less than"}),
    ("keywords:forbidden_words", {"forbidden_words": ["cat", "rain"]}), ("keywords:forbidden_words", {"forbidden_words": ["flower", "first"]}),
    ("keywords:letter_frequency", {"letter": "e", "let_frequency": 8, "let_relation": "at least"}), ("keywords:letter_frequency", {"letter": "Z", "let_frequency": 2, "let_relation": "less than"}),
    *[("language:response_language", {"language": code}) for code in LANGUAGES if code != "nl"],
    *[("length_constraints:number_sentences", {"num_sentences": n, "relation": r}) for n in (2, 3, 4, 5, 6) for r in ("at least", "less than")],
    *[("length_constraints:number_words", {"num_words": n, "relation": r}) for n, r in ((5, "at least"), (10, "less than"), (11, "at least"))],
    *[("length_constraints:number_paragraphs", {"num_paragraphs": n}) for n in (1, 2, 3)],
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 1, "first_word": "weekend"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "Weekend"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "second"}),
    ("length_constraints:nth_paragraph_first_word", {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "hello"}),
    *[("detectable_content:number_placeholders", {"num_placeholders": n}) for n in (1, 2, 3)],
    *[("detectable_content:postscript", {"postscript_marker": m}) for m in ("P.S.", "P.P.S", "PS")],
    *[("detectable_format:number_bullet_lists", {"num_bullets": n}) for n in (1, 2, 3)],
    ("detectable_format:constrained_response", {}), *[("detectable_format:number_highlighted_sections", {"num_highlights": n}) for n in (1, 2, 3, 4)],
    *[("detectable_format:multiple_sections", {"section_spliter": s, "num_sections": n}) for s in ("Section", "SECTION", "PART") for n in (2, 3)],
    ("detectable_format:json_format", {}), ("detectable_format:title", {}), ("combination:two_responses", {}),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Write a poem about rain."}),
    ("startend:end_checker", {"end_phrase": "Is there anything else I can help with?"}), ("startend:end_checker", {"end_phrase": "done"}), ("startend:quotation", {}),
    *[("change_case:capital_word_frequency", {"capital_frequency": n, "capital_relation": r}) for n in (1, 3, 4, 5, 8, 12) for r in ("at least", "less than")],
    ("change_case:english_capital", {}), ("change_case:english_lowercase", {}), ("punctuation:no_comma", {}),
]


def main(path):
    matrix = []
    for kind, settings in CONSTRAINTS:
        strict, loose = "", ""
        for answer in ANSWERS:
            example = utils.InputExample(0, [kind], "", [settings])
            strict += str(int(utils.test_instruction_following_strict(example, answer).follow_all_instructions))
            loose += str(int(utils.test_instruction_following_loose(example, answer).follow_all_instructions))
        matrix.append({"kind": kind, "settings": settings, "strict": strict, "loose": loose})
    text = Path(path).read_text(encoding="utf-8").replace("\r", "")
    paragraphs = [" ".join(p.split()) for p in text.split("\n\n")]
    paragraphs = random.Random(1).sample([p for p in paragraphs if 200 < len(p) < 700], 150)
    value = {
        "answers": ANSWERS, "languages": LANGUAGES, "constraints": matrix,
        "sentences": [{"text": p, "count": len(nltk.sent_tokenize(p))} for p in paragraphs],
        "words": [{"text": s, "words": nltk.word_tokenize(s, preserve_line=True)} for s in
                  [a for a in ANSWERS if re.search(r"[a-zA-Z]", a) and "\n" not in a][:60] + paragraphs[:15]],
    }
    target = Path(__file__).parent / "golden" / "ifeval.json"
    target.write_text(json.dumps(value, ensure_ascii=False) + "\n", encoding="utf-8")
    print(len(ANSWERS), "answers,", len(matrix), "constraints,", target.stat().st_size, "bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
