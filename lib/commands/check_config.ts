import { loadConfig } from "../config/config.ts";

/** `--check-config`: says what is wrong and exits 2, or that nothing is. */
export function checkConfig(argv: readonly string[]): number {
  const config = loadConfig(argv.filter((arg) => arg !== "--check-config"));
  console.log(`The configuration is good: ${config.mode} mode`);
  return 0;
}
