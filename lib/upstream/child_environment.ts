/**
 * The environment of a child: ours, for its own settings are there, without what only we may know. `withheld` are the
 * names of our secrets.
 */
export function childEnvironment(withheld: readonly string[]): Record<string, string> {
  const env = Deno.env.toObject();
  for (const name of withheld) delete env[name];
  return env;
}
