import { HubApiError, listFiles, modelInfo } from "@huggingface/hub";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fetch as undiciFetch, type Dispatcher } from "undici";
import { z } from "zod";
import { connectionProblem, openConnection } from "../engine/install/connection.js";
import { download } from "../engine/install/download.js";
import { cacheFolder } from "../engine/install/paths.js";
import { transferProgress } from "../engine/install/progress.js";
import { KitError } from "../support/errors.js";
import { readJsonFile, writeFileAtomic } from "../support/files.js";

/** Where and how a model is fetched; what is left out changes no byte of it. */
export interface HubOptions {
  /** Branch, tag or commit ("main"). */
  readonly revision?: string;
  /** Takes what is in the cache and asks no server. Default: whether `HF_HUB_OFFLINE` is 1. */
  readonly offline?: boolean;
  /** For models that are private or behind a licence. Default: `HF_TOKEN`. */
  readonly token?: string;
  /** Address of the hub. Default: `HF_ENDPOINT`, else huggingface.co. */
  readonly hub?: string;
  /** Default: `hub` in the cache folder of the kit. */
  readonly cache?: string;
  readonly progress?: boolean;
  /** Pause before the second attempt after a broken transfer; doubles with each further one. */
  readonly retryDelayMs?: number;
}

/** A file of a model and how to know its content. */
export interface HubFile {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** Of files in large-file storage. */
  readonly sha256?: string | undefined;
  /** Of all others: their name in git. */
  readonly gitBlob?: string | undefined;
}

const filesSchema = z.array(
  z.strictObject({
    path: z.string(),
    size: z.int().nonnegative(),
    sha256: z.string().optional(),
    gitBlob: z.string().optional(),
  }),
);

/** The list of a model's files in its folder of the cache: what a whole one has. */
const LIST = ".files.json";
const ONLINE = "connect to the network once and fetch it, or give another revision";

/**
 * A folder with a model of the Hugging Face hub, downloaded where it is not in the cache: `config.json`, weights as
 * safetensors, tokenizer. Each file is checked by its hash, and a broken download goes on where it stopped. Pickle files
 * are not fetched, nor is any other kind but safetensors, JSON and text.
 *
 *     <cache>/<owner>--<name>/<commit>/config.json ...      one folder for each commit, whole or not listed as whole
 *     <cache>/<owner>--<name>/refs/<revision>               the commit that a revision was when it was last asked for
 *
 * @param name "owner/name"
 * @returns the folder, for `loadDecoder`, `loadTokenizer` or `loadModelFolder`
 * @throws KitError for a wrong name, a model that does not exist or needs permission, a file that would leave the
 *   folder, no connection, or, offline, a model that is not in the cache
 */
export async function fetchModel(name: string, options: HubOptions = {}): Promise<string> {
  const { revision = "main", offline = process.env.HF_HUB_OFFLINE === "1" } = options;
  checkName(name, revision);
  const home = join(options.cache ?? join(cacheFolder(), "hub"), name.replace("/", "--"));
  const reference = join(home, "refs", revision.replaceAll("/", "--"));
  if (offline) return cachedFolder(name, revision, home, reference);
  const connection = openConnection();
  try {
    const remote = new Remote(name, options, connection);
    const commit = await remote.commitOf(revision);
    const folder = join(home, commit);
    if (missingFiles(folder)?.length !== 0) {
      const files = chooseFiles(name, await remote.files(commit));
      writeFileAtomic(join(folder, LIST), `${JSON.stringify(files, null, 1)}\n`);
      for (const file of missingFiles(folder) ?? []) await remote.download(file, commit, folder);
    }
    writeFileAtomic(reference, commit);
    return folder;
  } finally {
    await connection.close();
  }
}

/** A folder with a model, and whose. */
export interface ModelSource {
  readonly folder: string;
  /** Why it is the local folder and not the model of the hub; undefined where it is that. */
  readonly problem: KitError | undefined;
}

/**
 * The folder of a model of the hub, or where that cannot be had, a local one to go on with: for notebooks, which say which
 * it is.
 * @param local the local folder, or what makes it, which is then called only where it is needed
 * @throws whatever `local` throws
 */
export async function fetchModelOr(
  local: string | (() => Promise<string>),
  name: string,
  options: HubOptions = {},
): Promise<ModelSource> {
  try {
    return { folder: await fetchModel(name, options), problem: undefined };
  } catch (error) {
    if (!(error instanceof KitError)) throw error;
    return { folder: typeof local === "string" ? local : await local(), problem: error };
  }
}

function checkName(name: string, revision: string): void {
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)?$/.test(name)) {
    throw new KitError(`"${name}" is no name of a model`, 'give it as "owner/name"', { field: "name" });
  }
  if (!/^[\w-][\w.-]*(\/[\w-][\w.-]*)*$/.test(revision)) {
    throw new KitError(`"${revision}" is no revision`, "give a branch, a tag or a commit", {
      field: "revision",
    });
  }
}

/** The folder of a revision without asking anyone. */
function cachedFolder(name: string, revision: string, home: string, reference: string): string {
  const known = existsSync(reference) ? readFileSync(reference, "utf8").trim() : revision;
  const folder = join(home, known);
  const missing = /^[0-9a-f]{40}$/.test(known) ? missingFiles(folder) : undefined;
  if (missing?.length === 0) return folder;
  const what = missing === undefined ? "is not" : `is only in part (${missing[0]?.path ?? ""} is missing)`;
  throw new KitError(`${name} at ${revision} ${what} in the cache, and the kit is offline`, ONLINE, {
    file: home,
  });
}

/** Files of the list that are not there in their size; undefined where there is no list. */
function missingFiles(folder: string): HubFile[] | undefined {
  const list = join(folder, LIST);
  if (!existsSync(list)) return undefined;
  const result = filesSchema.safeParse(readJsonFile(list));
  if (!result.success) return undefined;
  return result.data.filter(({ path, size }) => {
    const file = join(folder, checkPath("the cached model", path));
    return !existsSync(file) || statSync(file).size !== size;
  });
}

/** A path that stays in the folder of the model. */
function checkPath(name: string, path: string): string {
  const parts = path.split("/");
  const harmless = parts.every((part) => part !== "" && part !== "." && part !== "..");
  if (harmless && !/[\\:]|\p{Cc}/u.test(path)) return path;
  throw new KitError(
    `${name} has a file ${JSON.stringify(path)}, which would leave its folder`,
    "do not use this model: such a name is no accident",
  );
}

const WEIGHTS = /^(model|adapter_model)(-\d+-of-\d+)?\.safetensors$/;
const PICKLE = /\.(bin|pt|pth|ckpt|pkl|pickle)$/;

/**
 * The files of a model that the kit reads: those of its top folder that are safetensors weights, JSON or text.
 * @throws KitError for a name that would leave the folder, or where the weights are pickle files only
 */
export function chooseFiles(name: string, all: readonly HubFile[]): HubFile[] {
  const top = all.filter(({ path }) => !checkPath(name, path).includes("/"));
  const chosen = top.filter(({ path }) => WEIGHTS.test(path) || /^\w[\w.-]*\.(json|txt)$/.test(path));
  if (chosen.some(({ path }) => WEIGHTS.test(path))) return chosen;
  const pickle = top.find(({ path }) => PICKLE.test(path));
  throw new KitError(
    pickle === undefined
      ? `${name} has no weights as safetensors`
      : `${name} has its weights as a pickle file only (${pickle.path}), and opening one runs whatever code is in it`,
    "use a model, or a revision of it, that has a model.safetensors",
  );
}

/** One model on the hub. */
class Remote {
  readonly #name: string;
  readonly #hub: string;
  readonly #token: string | undefined;
  readonly #connection: Dispatcher;
  readonly #options: HubOptions;

  constructor(name: string, options: HubOptions, connection: Dispatcher) {
    this.#name = name;
    this.#options = options;
    this.#hub = (options.hub ?? process.env.HF_ENDPOINT ?? "https://huggingface.co").replace(/\/$/, "");
    this.#token = options.token ?? process.env.HF_TOKEN;
    this.#connection = connection;
  }

  /** The commit that a revision is now. */
  async commitOf(revision: string): Promise<string> {
    const info = await this.#ask(revision, () =>
      modelInfo({ name: this.#name, revision, additionalFields: ["sha"], ...this.#access }),
    );
    if (/^[0-9a-f]{40}$/.test(info.sha)) return info.sha;
    throw new KitError(
      `the hub names no commit of ${this.#name}`,
      `check the address of the hub (${this.#hub})`,
    );
  }

  /** All files of a commit. */
  async files(commit: string): Promise<HubFile[]> {
    return this.#ask(commit, async () => {
      const files: HubFile[] = [];
      const repo = { type: "model", name: this.#name } as const;
      for await (const entry of listFiles({ repo, revision: commit, recursive: true, ...this.#access })) {
        if (entry.type !== "file") continue;
        const { path, size, oid, lfs } = entry;
        files.push(
          lfs === undefined ? { path, size, gitBlob: oid } : { path, size: lfs.size, sha256: lfs.oid },
        );
      }
      return files;
    });
  }

  async download({ path, size, sha256, gitBlob }: HubFile, commit: string, folder: string): Promise<void> {
    const { retryDelayMs, progress } = this.#options;
    await download({
      address: `${this.#hub}/${this.#name}/resolve/${commit}/${encodeURIComponent(path)}`,
      target: join(folder, path),
      size,
      ...(sha256 === undefined ? {} : { sha256 }),
      ...(gitBlob === undefined ? {} : { gitBlob }),
      ...(this.#token === undefined ? {} : { headers: { authorization: `Bearer ${this.#token}` } }),
      ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
      connection: this.#connection,
      ...(progress === true ? { progress: transferProgress(path, size) } : {}),
      advice: {
        refused: PERMISSION,
        damaged: "check whether a proxy changes files, then fetch the model again",
        again: "then fetch the model again",
      },
    });
  }

  get #access(): { hubUrl: string; fetch: typeof fetch; accessToken?: string } {
    const dispatcher = this.#connection;
    const own = (input: string, init: object): unknown => undiciFetch(input, { ...init, dispatcher });
    const token = this.#token === undefined ? {} : { accessToken: this.#token };
    return { hubUrl: this.#hub, fetch: own as typeof fetch, ...token };
  }

  async #ask<Value>(revision: string, question: () => Promise<Value>): Promise<Value> {
    try {
      return await question();
    } catch (error) {
      const what = `${this.#name} at ${revision}`;
      if (error instanceof HubApiError) {
        const { statusCode: status } = error;
        if (status === 404) throw new KitError(`the hub has no ${what}`, "check the name and the revision");
        if (status === 401 || status === 403) {
          throw new KitError(`the hub does not give ${what} to you (${status})`, PERMISSION);
        }
        throw new KitError(`the hub answers ${status} to the question for ${what}`, "try again later");
      }
      throw new KitError(
        `the hub cannot be asked for ${what}: ${connectionProblem(error)}`,
        "check the network, the proxy and the token, or work offline with what is in the cache",
      );
    }
  }
}

const PERMISSION = "check the name; where a model is private or behind a licence, accept it and set HF_TOKEN";
