/** The test server of the session revisions, over HTTP on the port after `--port`, until SIGTERM. */
import { startUpstream } from "../fakes/upstream.ts";

const port = Number(Deno.args[Deno.args.indexOf("--port") + 1]);
const upstream = startUpstream({ eras: "legacy", name: "spawned", port });
console.log(`serving on ${upstream.port}`);
