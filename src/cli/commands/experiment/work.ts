import { Command } from "commander";
import { workOn } from "../../../experiment/places/work.js";
import { KitError } from "../../../support/errors.js";
import { onInterrupt } from "../../interrupt.js";

const DESCRIPTION = `Does one run that another process asks for: what \`experiment\` starts on the nodes of a cluster. The request
is a file in a folder that both see, or an address where it is fetched and the result is sent.`;

/** `ift-kit experiment work REQUEST`: one run of an experiment, for a machine that is not the experiment's own. */
export function workCommand(): Command {
  return new Command("work")
    .description(DESCRIPTION)
    .argument("<request>", "JSON file, or http address, of the request")
    .action(work);
}

async function work(source: string): Promise<void> {
  const interrupt = onInterrupt("Stopping after this step, with a checkpoint (again to stop at once).");
  try {
    const outcome = await workOn(source, interrupt.signal, (line) => console.log(line));
    if (outcome.kind === "failed") throw new KitError(outcome.message, "mend the cause and start it again");
  } finally {
    interrupt.release();
  }
}
