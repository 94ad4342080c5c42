/** Clients that call, listen, change their minds and check every answer they get. */

/** What the callers found. */
export interface Findings {
  answered: number;
  /** Answers that said, with the right id, that the upstream is not there. */
  failures: number;
  /** Streams that broke off while the upstream died, or ended with an error for their request. */
  broken: number;
  aborted: number;
  /** Whatever must not be; the first few are kept. */
  readonly wrong: string[];
}

/** Where and how long callers work. */
export interface Work {
  readonly url: string;
  readonly token: string;
  readonly findings: Findings;
  /** The upstream was killed or away less than a moment before. */
  disturbed(): boolean;
  readonly stop: AbortSignal;
  /** The longest pause between two calls. */
  readonly pauseMs: number;
  readonly client: Deno.HttpClient;
}

let lastId = 0;

function request(
  work: Work,
  method: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<Response> {
  return fetch(work.url, {
    method,
    signal,
    client: work.client,
    headers: {
      authorization: `Bearer ${work.token}`,
      accept: "application/json, text/event-stream",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
}

function wrong(work: Work, what: string): void {
  if (work.findings.wrong.length < 20) work.findings.wrong.push(what);
}

/** Calls until told to stop; every tenth call is given up at a random moment. */
export async function caller(work: Work, events: number): Promise<void> {
  while (!work.stop.aborted) {
    const id = ++lastId;
    const text = crypto.randomUUID();
    const body = JSON.stringify({ jsonrpc: "2.0", id, method: "tools/call", params: { text, events } });
    const abort = new AbortController();
    const givesUp = Math.random() < 0.1;
    const timer = givesUp ? setTimeout(() => abort.abort(), Math.random() * 20 * (events + 1)) : undefined;
    try {
      const response = await request(work, "POST", body, abort.signal);
      judge(work, { id, text, status: response.status, body: await response.text() });
    } catch (error) {
      if (abort.signal.aborted) work.findings.aborted++;
      else if (events > 0 && work.disturbed()) work.findings.broken++;
      else wrong(work, `call ${id} was lost: ${error}`);
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.random() * work.pauseMs));
  }
}

function judge(work: Work, got: { id: number; text: string; status: number; body: string }): void {
  const messages = got.body.startsWith("{")
    ? [got.body]
    : got.body.split("\n").filter((line) => line.startsWith("data: {")).map((line) => line.slice(6));
  const last = messages.length === 0 ? undefined : JSON.parse(messages.at(-1) ?? "{}");
  if (got.status === 200 && last?.id === got.id && last?.result?.text === got.text) work.findings.answered++;
  else if (last?.id === got.id && last?.error !== undefined && work.disturbed()) {
    if (got.status === 200) work.findings.broken++;
    else work.findings.failures++;
  } else wrong(work, `call ${got.id} got ${got.status} ${got.body.slice(0, 200)}`);
}

/** Opens a stream, listens for a while and leaves, again and again. */
export async function listener(work: Work): Promise<void> {
  while (!work.stop.aborted) {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), 200 + Math.random() * 3_000);
    try {
      const response = await request(work, "GET", undefined, abort.signal);
      await response.text();
      if (response.status !== 200 && !work.disturbed()) wrong(work, `stream got ${response.status}`);
    } catch {
      // Given up, or cut with the upstream.
    } finally {
      clearTimeout(timer);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
