/** An upstream as far as its door goes: a 401 challenge and the documents behind it, each of which a test may bend. */

/** What the upstream publishes; `undefined` answers 404. */
export interface DoorOptions {
  /** The resource's document, by path. */
  readonly documents?: Readonly<Record<string, unknown>>;
  /** Answers other paths, such as an authorization server's. */
  readonly handler?: (request: Request) => Response | undefined | Promise<Response | undefined>;
}

/** A running upstream. */
export interface UpstreamDoor extends AsyncDisposable {
  readonly origin: string;
  /** The upstream's URL, `<origin>/mcp`. */
  readonly url: string;
  /** Paths asked for, in order, with their queries. */
  readonly asked: string[];
  /** What is published from now on. */
  documents: Record<string, unknown>;
  /** A `WWW-Authenticate` that points to the document at its usual place. */
  challenge(parameters?: Record<string, string>): string;
}

export function openDoor(options: DoorOptions = {}): UpstreamDoor {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    asked.push(pathname + search);
    const document = door.documents[pathname];
    if (document instanceof Response) return document.clone();
    if (document !== undefined) return Response.json(document);
    return await options.handler?.(request) ?? new Response(null, { status: 404 });
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const door: UpstreamDoor = {
    origin,
    url: `${origin}/mcp`,
    asked,
    documents: { ...options.documents },
    challenge: (parameters = {}) =>
      "Bearer " + Object.entries({
        resource_metadata: `${origin}/.well-known/oauth-protected-resource/mcp`,
        ...parameters,
      }).map(([name, value]) => `${name}="${value}"`).join(", "),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return door;
}

/** Where the resource's document is. */
export const documentPath = "/.well-known/oauth-protected-resource/mcp";
