/** Whether an answer says that the upstream has forgotten the session. */
import { smallText } from "./answer.ts";
import type { UpstreamResponse } from "../upstream/upstream.ts";

/** The judgement, and the answer to go on with: its body may have been read to find out. */
export async function isSessionLost(
  response: UpstreamResponse,
): Promise<{ lost: boolean; answer: UpstreamResponse }> {
  if (response.status === 404) return { lost: true, answer: response };
  if (response.status !== 400) return { lost: false, answer: response };
  // The revisions ask for 404; many servers answer 400 with a sentence about the session instead.
  const text = await smallText(response);
  const answer = { ...response, body: new TextEncoder().encode(text) };
  return { lost: /session|not initialized/i.test(text), answer };
}
