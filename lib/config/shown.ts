/** How settings are shown to people, in `--help` and in the documents. */
import { formatDuration } from "../base/kinds.ts";
import type { Setting } from "../base/setting.ts";

/** The default as somebody would write it; `undefined` when there is none. */
export function shownDefault(setting: Setting): string | undefined {
  if (setting.defaultText !== undefined) return setting.defaultText;
  const value = setting.default;
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return undefined;
  if (setting.kind.placeholder === "DURATION" && typeof value === "number") return formatDuration(value);
  return Array.isArray(value) ? value.join(",") : String(value);
}

/** The flag with what stands for its value. */
export function shownFlag(setting: Setting): string | undefined {
  const { flag, kind, default: byDefault } = setting;
  if (flag === undefined) return undefined;
  if (kind.placeholder === "") return byDefault === true ? `--[no-]${flag}` : `--${flag}`;
  return `--${flag} ${kind.placeholder}`;
}
