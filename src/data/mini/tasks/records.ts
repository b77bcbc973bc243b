import { type Frame, frames } from "../grammar/frame.js";
import { NUMBERS } from "../lexicon/actions.js";
import { WEATHER } from "../lexicon/places.js";
import { DAYS } from "../lexicon/actions.js";
import { type Difficulty, type MiniTask, wordings } from "./task.js";

/** Sentences for a record, by how many fields it has. */
const PERSON: Readonly<Record<Difficulty, readonly Frame<string>[]>> = {
  easy: anyFrames(frames("{name} lives in {town}.", "The home of {name} is {town}.")),
  medium: anyFrames(frames("{name} is {job|a} in {town}.", "{name} lives in {town} and works as {job|a}.")),
  hard: anyFrames(
    frames(
      "{name} is {job|a} in {town} and likes {hobby}.",
      "{name} lives in {town}, works as {job|a} and likes {hobby}.",
    ),
  ),
};
const WEATHER_REPORT = anyFrames(
  frames(
    "On {day} it will be {weather} in {town}, with {degrees} degrees.",
    "In {town} it will be {weather} on {day}, with {degrees} degrees.",
  ),
);

/** Frames whose slots are checked when they are filled: their records are read from text. */
function anyFrames(typed: readonly Frame<never>[]): readonly Frame<string>[] {
  return typed;
}

const INSTRUCTIONS = wordings(
  "[Write|Make|Form] a sentence from the [record|data|fields].",
  "[Turn|Put] the [record|data] into [words|a sentence].",
  "[Describe|Say in words] what [the record says|stands in the record].",
);

/** Records are mixed from several people, so that no sentence can be written from what is known of them. */
const personRecord: MiniTask = {
  name: "person-record",
  taskType: "data-to-text",
  separates: "inputs",
  instructions: INSTRUCTIONS,
  draw: ({ random, materials, difficulty }) => {
    const { people } = materials.world;
    const record = {
      name: random.choice(people).text,
      town: random.choice(people).town,
      job: random.choice(people).job,
      hobby: random.choice(people).hobby,
    };
    const fields = (["name", "town", "job", "hobby"] as const).slice(
      0,
      { easy: 2, medium: 3, hard: 4 }[difficulty],
    );
    return {
      input: random
        .shuffled(fields)
        .map((field) => `${field}: ${record[field]}`)
        .join("; "),
      outputs: PERSON[difficulty].map((sentence) => sentence.fill(record)),
    };
  },
  solve(input) {
    const record = readRecord(input);
    const difficulty = record.hobby !== undefined ? "hard" : record.job !== undefined ? "medium" : "easy";
    return PERSON[difficulty][0]?.fill(record) ?? "";
  },
};

const weatherRecord: MiniTask = {
  name: "weather-record",
  taskType: "data-to-text",
  separates: "materials",
  difficulties: ["hard"],
  instructions: INSTRUCTIONS,
  draw: ({ random, materials }) => {
    const record = {
      town: random.choice(materials.towns),
      day: random.choice(DAYS),
      weather: random.choice(WEATHER).name,
      degrees: random.choice(NUMBERS.slice(2)),
    };
    return {
      input: random
        .shuffled(Object.entries(record))
        .map(([field, value]) => `${field}: ${value}`)
        .join("; "),
      outputs: WEATHER_REPORT.map((sentence) => sentence.fill(record)),
    };
  },
  solve: (input) => WEATHER_REPORT[0]?.fill(readRecord(input)) ?? "",
};

function readRecord(input: string): Record<string, string> {
  return Object.fromEntries(input.split("; ").map((field) => field.split(": ") as [string, string]));
}

export const RECORD_TASKS: readonly MiniTask[] = [personRecord, weatherRecord];
