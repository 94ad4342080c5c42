/** Tools and a prompt of the stateless revision that answer "more input is needed" before they are done (SEP-2322). */
import {
  acceptedContent,
  createRequestStateCodec,
  inputRequired,
  inputResponse,
  type McpServer,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import { declaredCapabilities, sampling, text } from "./tools.ts";

/** Seals what a round hands to the next one. */
export const stateCodec = createRequestStateCodec<{ round: number }>({
  key: crypto.getRandomValues(new Uint8Array(32)),
});

const name = z.object({ name: z.string() });
const ok = z.object({ ok: z.boolean() });
const color = z.object({ color: z.string() });
const context = z.object({ context: z.string() });

const elicit = (message: string, requestedSchema: typeof name | typeof ok | typeof color | typeof context) =>
  inputRequired.elicit({ message, requestedSchema });
/** Registers them. */
export function addRounds(mcp: McpServer): void {
  const named = (suffix: string) => `test_input_required_result_${suffix}`;

  for (const tool of [named("elicitation"), "test_streaming_elicitation"]) {
    mcp.registerTool(tool, { description: "Needs a name" }, ({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, "user_name", name);
      if (given !== undefined) return text(`Hello, ${given.name}!`);
      return inputRequired({ inputRequests: { user_name: elicit("What is your name?", name) } });
    });
  }

  mcp.registerTool(named("sampling"), { description: "Needs the client's model" }, ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, "capital_question");
    if (given.kind === "sampling") return text(JSON.stringify(given.result.content));
    return inputRequired({
      inputRequests: { capital_question: sampling("What is the capital of France?", 100) },
    });
  });

  mcp.registerTool(named("list_roots"), { description: "Needs the client's folders" }, ({ mcpReq }) => {
    const given = inputResponse(mcpReq.inputResponses, "client_roots");
    if (given.kind === "roots") return text(JSON.stringify(given.roots));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });

  for (const suffix of ["request_state", "tampered_state"]) {
    mcp.registerTool(named(suffix), { description: "Needs its state back" }, async ({ mcpReq }) => {
      const given = acceptedContent(mcpReq.inputResponses, "confirm", ok);
      if (given !== undefined && mcpReq.requestState<{ round: number }>()?.round === 1) {
        return text("state-ok");
      }
      return inputRequired({
        inputRequests: { confirm: elicit("Please confirm", ok) },
        requestState: await stateCodec.mint({ round: 1 }),
      });
    });
  }

  mcp.registerTool(named("multiple_inputs"), { description: "Needs three things" }, async ({ mcpReq }) => {
    const responses = mcpReq.inputResponses;
    const given = acceptedContent(responses, "user_name", name);
    const others = ["greeting", "client_roots"].map((key) => inputResponse(responses, key).kind);
    if (given !== undefined && !others.includes("missing")) return text(`Hello, ${given.name}!`);
    return inputRequired({
      inputRequests: {
        user_name: elicit("What is your name?", name),
        greeting: sampling("Generate a greeting", 50),
        client_roots: inputRequired.listRoots(),
      },
      requestState: await stateCodec.mint({ round: 1 }),
    });
  });

  mcp.registerTool(named("multi_round"), { description: "Needs two rounds" }, async ({ mcpReq }) => {
    const round = mcpReq.requestState<{ round: number }>()?.round;
    if (round === 2 && acceptedContent(mcpReq.inputResponses, "step2", color) !== undefined) {
      return text("done");
    }
    if (round === 1 && acceptedContent(mcpReq.inputResponses, "step1", name) !== undefined) {
      return inputRequired({
        inputRequests: { step2: elicit("Step 2: What is your favorite color?", color) },
        requestState: await stateCodec.mint({ round: 2 }),
      });
    }
    return inputRequired({
      inputRequests: { step1: elicit("Step 1: What is your name?", name) },
      requestState: await stateCodec.mint({ round: 1 }),
    });
  });

  mcp.registerTool(named("capabilities"), { description: "Needs what the client can do" }, ({ mcpReq }) => {
    const declared = declaredCapabilities(mcpReq.envelope);
    return inputRequired({
      inputRequests: {
        ...(declared?.elicitation === undefined ? {} : { user_name: elicit("What is your name?", name) }),
        ...(declared?.sampling === undefined ? {} : { greeting: sampling("Generate a greeting", 50) }),
      },
    });
  });

  mcp.registerPrompt(named("prompt"), { description: "Needs a context" }, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, "user_context", context);
    if (given === undefined) {
      return inputRequired({
        inputRequests: { user_context: elicit("What context should the prompt use?", context) },
      });
    }
    return { messages: [{ role: "user", content: { type: "text", text: `Context: ${given.context}` } }] };
  });
}
