/** Whether an answer says that the upstream has forgotten the session. */
import { readLimitedText } from "../base/body.ts";

/** The judgement, and the answer to go on with: its body may have been read to find out. */
export async function isSessionLost(response: Response): Promise<{ lost: boolean; answer: Response }> {
  if (response.status === 404) return { lost: true, answer: response };
  if (response.status !== 400) return { lost: false, answer: response };
  // The revisions ask for 404; many servers answer 400 with a sentence about the session instead.
  const text = await readLimitedText(response, 64 * 1024).catch(() => "");
  const answer = new Response(text, { status: 400, headers: response.headers });
  return { lost: /session|not initialized/i.test(text), answer };
}
