/** A sign of life while something takes long; shown on a terminal only, and gone before anything else is written. */
export interface Spinner extends Disposable {
  /** Shows the text, turning, until something else is shown or it is cleared. */
  show(text: string): void;
  clear(): void;
}

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const everyMs = 100;

/** Where it is drawn: stderr, unless a test says otherwise. */
export interface Screen {
  isTerminal(): boolean;
  writeSync(bytes: Uint8Array): number;
}

/** A spinner that draws nothing where nobody looks. `NO_COLOR` leaves the text without the turning sign's colour. */
export function spinner(screen: Screen = Deno.stderr, colour: boolean = !Deno.noColor): Spinner {
  const encoder = new TextEncoder();
  const draw = (text: string) => screen.writeSync(encoder.encode(`\r\x1b[2K${text}`));
  let timer: ReturnType<typeof setInterval> | undefined;
  const clear = () => {
    if (timer === undefined) return;
    clearInterval(timer);
    timer = undefined;
    draw("");
  };
  return {
    show(text) {
      clear();
      if (!screen.isTerminal()) return;
      let frame = 0;
      const next = () => {
        const sign = frames[frame++ % frames.length] ?? "";
        draw(`${colour ? `\x1b[36m${sign}\x1b[0m` : sign} ${text}`);
      };
      next();
      timer = setInterval(next, everyMs);
      Deno.unrefTimer(Number(timer));
    },
    clear,
    [Symbol.dispose]: clear,
  };
}
