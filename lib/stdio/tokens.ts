/**
 * The credentials of an upstream that speaks OAuth:
 *
 *     headers: fresh in memory? -> fresh in the cache? -> renew (refresh, else log in)
 *     renew:   has somebody renewed it meanwhile? -> refresh, else log in, as the refusal allows
 *
 * Of all who ask at the same time one works and the others wait; `renewal.ts` does the same over all processes.
 */
import { UserError } from "../base/errors.ts";
import type { CredentialHeaders, Credentials, LoginStatus, Refusal } from "./credentials.ts";
import { type Grant, isAlive, isFresh } from "./grant.ts";
import type { Door, LoginContext } from "./login_context.ts";
import type { Need } from "./renewal.ts";
import type { StepUps } from "./step_up.ts";

/** How long a failed renewal speaks for those that come right after it. */
const failurePauseMs = 5_000;

/** What is fixed for the life of the program. */
export interface TokensOptions {
  readonly context: Omit<LoginContext, "report" | "signal">;
  /** Sent beside the token, and without one. */
  readonly fixedHeaders: CredentialHeaders["list"];
  /** Looks for a login that another program left behind. */
  readonly takeOver?: (context: LoginContext) => Promise<Grant | undefined>;
  /** Where to log in when there has been no refusal; absent: the upstream's first refusal tells. */
  readonly configuredDoor?: (context: LoginContext) => Promise<Door>;
}

/** Starts looking for a token at once; see the file's comment. */
export function oauthCredentials(options: TokensOptions): Credentials {
  return new Tokens(options);
}

class Tokens implements Credentials {
  readonly #options: TokensOptions;
  readonly #end = new AbortController();
  readonly #context: LoginContext;
  #grant: Grant | undefined;
  /** What was made of the grant. */
  #made: { readonly grant: Grant; readonly headers: CredentialHeaders } | undefined;
  #loaded: Promise<void> | undefined;
  #renewing: Promise<void> | undefined;
  #pause: { untilMs: number; error: unknown } | undefined;
  #stepUps: StepUps | undefined;
  #status: LoginStatus = { state: "working", doing: "reading the token cache" };
  #change = Promise.withResolvers<void>();

  constructor(options: TokensOptions) {
    this.#options = options;
    this.#context = {
      ...options.context,
      signal: this.#end.signal,
      report: (status) => this.#report(status),
    };
    this.headers(this.#end.signal).catch(() => {});
  }

  async headers(signal: AbortSignal): Promise<CredentialHeaders> {
    if (!this.#isUsable()) {
      await until(this.#load(), signal);
      if (!this.#isUsable() && (this.#grant !== undefined || this.#options.configuredDoor !== undefined)) {
        await this.#renewOrKeep(signal);
      }
    }
    return this.#headersNow();
  }

  now(): CredentialHeaders | undefined {
    return this.#isUsable() ? this.#headersNow() : undefined;
  }

  #headersNow(): CredentialHeaders {
    this.#report({ state: "ready" });
    const { fixedHeaders } = this.#options;
    if (this.#grant === undefined) return { list: fixedHeaders };
    if (this.#made?.grant !== this.#grant) {
      const bearer = ["authorization", `Bearer ${this.#grant.accessToken}`] as const;
      this.#made = { grant: this.#grant, headers: { list: [...fixedHeaders, bearer] } };
    }
    return this.#made.headers;
  }

  async renew(used: CredentialHeaders, refusal: Refusal, signal: AbortSignal): Promise<boolean> {
    const refused = bearerOf(used);
    if (this.#grant !== undefined && this.#grant.accessToken !== refused) return true;
    const need = await this.#needOf(refused, refusal);
    if (need === undefined) return false;
    await this.#renew(need, signal);
    return this.#grant !== undefined && this.#grant.accessToken !== refused;
  }

  status(): LoginStatus {
    return this.#status;
  }

  changed(signal: AbortSignal): Promise<void> {
    return until(this.#change.promise, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end.abort(new DOMException("The program ends", "AbortError"));
    await this.#renewing?.catch(() => {});
    await this.#loaded?.catch(() => {});
  }

  #isUsable(): boolean {
    return this.#grant !== undefined && isFresh(this.#grant, this.#context.clock.now());
  }

  #load(): Promise<void> {
    this.#loaded ??= this.#read()
      .then((grant) => void (this.#grant ??= grant))
      .catch((error) => {
        this.#loaded = undefined;
        this.#fail(error);
        throw error;
      });
    return this.#loaded;
  }

  async #read(): Promise<Grant | undefined> {
    const { cache, key, signal } = this.#context;
    const grant = await cache.use((access) => access.grant(key), signal);
    return grant ?? await this.#options.takeOver?.(this.#context);
  }

  /** What may be done about a token's end without a refusal: a discovered server is asked through a challenge. */
  #door(): Pick<Need, "door"> {
    const { configuredDoor } = this.#options;
    return configuredDoor === undefined ? {} : { door: () => configuredDoor(this.#context) };
  }

  /** What a refusal asks for; `undefined` when nothing can be done about it. */
  async #needOf(refused: string | undefined, refusal: Refusal): Promise<Need | undefined> {
    const { configuredDoor } = this.#options;
    const door = configuredDoor === undefined
      ? async () => (await import("./upstream_discovery.ts")).discoveredDoor(this.#context, refusal.challenge)
      : () => configuredDoor(this.#context);
    const base = refused === undefined ? { door } : { door, refused };
    if (refusal.status === 401) return { ...base, mayHaveMoved: configuredDoor === undefined };
    if (this.#stepUps === undefined) {
      const { StepUps } = await import("./step_up.ts");
      this.#stepUps ??= new StepUps();
    }
    const scopes = this.#stepUps.next(this.#grant, refusal.challenge);
    return scopes && { ...base, scopes, door: async () => ({ ...await door(), scopes }) };
  }

  /** Renews ahead of the end; a token that still lives is good enough while nobody can be asked. */
  async #renewOrKeep(signal: AbortSignal): Promise<void> {
    const old = this.#grant;
    const lives = () => old !== undefined && isAlive(old, this.#context.clock.now());
    const asksNobody = old?.refreshToken !== undefined ||
      (old?.how === "client_credentials" && this.#options.configuredDoor !== undefined);
    if (lives() && !asksNobody) return;
    try {
      await this.#renew(this.#door(), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!lives()) throw error;
    }
  }

  /** Runs a renewal, or joins one that others started if that is enough. After it `#grant` is what is best now. */
  async #renew(need: Need, signal: AbortSignal): Promise<void> {
    if (this.#renewing !== undefined) {
      await until(this.#renewing, signal);
      if (need.refused === undefined || this.#grant?.accessToken !== need.refused) return;
    }
    if (this.#pause !== undefined && this.#context.clock.now() < this.#pause.untilMs) throw this.#pause.error;
    this.#renewing ??= this.#run(need).finally(() => this.#renewing = undefined);
    await until(this.#renewing, signal);
  }

  async #run(need: Need): Promise<void> {
    const { renewGrant } = await import("./renewal.ts");
    try {
      this.#grant = await renewGrant(this.#context, need) ?? this.#living();
      this.#pause = undefined;
      this.#report({ state: "ready" });
    } catch (error) {
      this.#pause = { untilMs: this.#context.clock.now() + failurePauseMs, error };
      this.#fail(error);
      throw error;
    }
  }

  #living(): Grant | undefined {
    return this.#grant !== undefined && isAlive(this.#grant, this.#context.clock.now())
      ? this.#grant
      : undefined;
  }

  #fail(error: unknown): void {
    if (this.#end.signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof UserError ? error.hint : undefined;
    this.#context.log.error("no_token", { cause: message, ...(hint === undefined ? {} : { hint }) });
    this.#report({ state: "failed", message, ...(hint === undefined ? {} : { hint }) });
  }

  #report(status: LoginStatus): void {
    if (status.state === "ready" && this.#status.state === "ready") return;
    this.#status = status;
    const { resolve } = this.#change;
    this.#change = Promise.withResolvers<void>();
    resolve();
  }
}

function bearerOf(used: CredentialHeaders): string | undefined {
  return used.list.find(([name]) => name === "authorization")?.[1].slice("Bearer ".length);
}

/** The promise, or the signal's reason when that comes first. */
async function until<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
