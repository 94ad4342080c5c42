/** The grammar of JSON (RFC 8259) as states of a reader, one byte at a time; used by `message.ts`. */

/** What comes next: between tokens up to BAD, inside of one from STRING on. */
export const VALUE = 0, FIRST_ITEM = 1, FIRST_KEY = 2, KEY = 3, COLON = 4, AFTER = 5, DONE = 6, BAD = 7;
/** Inside a string or a literal. */
export const STRING = 8, ESCAPE = 9, HEX = 10, LITERAL = 11;
/** Inside a number: after its sign, its leading zero, its integer digits. */
export const MINUS = 12, ZERO = 13, INT = 14;
const DOT = 15, FRACTION = 16, EXP = 17, EXP_SIGN = 18, EXP_DIGIT = 19;

const encoder = new TextEncoder();
/** What follows the first letter of a literal. */
export const trueRest = encoder.encode("rue"),
  falseRest = encoder.encode("alse"),
  nullRest = encoder.encode("ull");

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

/** Whether a number may end in this state. */
export function endsNumber(state: number): boolean {
  return state === ZERO || state === INT || state === FRACTION || state === EXP_DIGIT;
}

/** Whether this byte can go on with a number. */
export function isNumberByte(byte: number): boolean {
  return isDigit(byte) || byte === 0x2e || byte === 0x65 || byte === 0x45 || byte === 0x2b || byte === 0x2d;
}

/** Whether this byte may follow a backslash, `u` apart. */
export function isEscape(byte: number): boolean {
  switch (byte) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return true;
    default:
      return false;
  }
}

/** Whether this byte is a hexadecimal digit. */
export function isHex(byte: number): boolean {
  return isDigit(byte) || (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66;
}

/** The state of a number after one more byte. */
export function numberStep(state: number, byte: number): number {
  switch (state) {
    case MINUS:
      return byte === 0x30 ? ZERO : isDigit(byte) ? INT : BAD;
    case ZERO:
    case INT:
      if (isDigit(byte)) return state === INT ? INT : BAD;
      return byte === 0x2e ? DOT : (byte | 0x20) === 0x65 ? EXP : BAD;
    case DOT:
      return isDigit(byte) ? FRACTION : BAD;
    case FRACTION:
      if (isDigit(byte)) return FRACTION;
      return (byte | 0x20) === 0x65 ? EXP : BAD;
    case EXP:
      if (byte === 0x2b || byte === 0x2d) return EXP_SIGN;
      return isDigit(byte) ? EXP_DIGIT : BAD;
    case EXP_SIGN:
    case EXP_DIGIT:
      return isDigit(byte) ? EXP_DIGIT : BAD;
    default:
      return BAD;
  }
}
