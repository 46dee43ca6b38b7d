const AMPERSAND = '&'.charCodeAt(0);
const EQUALS = '='.charCodeAt(0);
const PERCENT = '%'.charCodeAt(0);
const PLUS = '+'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);

/** GitHub sends one. A body of nothing but `&` has 27 million, and to look at each stops the adapter for seconds. */
const MOST_PARAMETERS = 100;

/**
 * The decoded bytes of one parameter of an `application/x-www-form-urlencoded` body (WHATWG URL, "urlencoded
 * parsing", but on bytes: the value may hold what is not UTF-8). undefined when it is absent, or there twice, where
 * readers would differ about which one counts, or among too many others.
 */
export function formParameter(body: Buffer, name: string): Buffer | undefined {
  let found: Buffer | undefined;
  let count = 0;
  for (let start = 0; start <= body.length; ) {
    const next = body.indexOf(AMPERSAND, start);
    const end = next === -1 ? body.length : next;
    const parameter = body.subarray(start, end);
    const equals = parameter.indexOf(EQUALS);
    count += 1;
    if (count > MOST_PARAMETERS) return undefined;
    if (isKey(equals === -1 ? parameter : parameter.subarray(0, equals), name)) {
      if (found !== undefined) return undefined;
      found = equals === -1 ? Buffer.alloc(0) : percentDecode(parameter.subarray(equals + 1));
    }
    start = end + 1;
  }
  return found;
}

function isKey(encoded: Buffer, name: string): boolean {
  // Each character is one byte, or three as `%XX`.
  const fits = encoded.length >= name.length && encoded.length <= 3 * name.length;
  return fits && percentDecode(encoded).toString('latin1') === name;
}

/** `+` is a space, `%XX` a byte; a `%` without two hex digits stands for itself. */
function percentDecode(encoded: Buffer): Buffer {
  // Not from Node's pool: who counts what is held goes by the memory behind it.
  const decoded = Buffer.allocUnsafeSlow(encoded.length);
  let length = 0;
  for (let index = 0; index < encoded.length; index += 1) {
    let byte = encoded[index] as number;
    if (byte === PLUS) byte = SPACE;
    else if (byte === PERCENT) {
      const value = hexDigit(encoded[index + 1]) * 16 + hexDigit(encoded[index + 2]);
      if (!Number.isNaN(value)) {
        byte = value;
        index += 2;
      }
    }
    decoded[length] = byte;
    length += 1;
  }
  return decoded.subarray(0, length);
}

function hexDigit(code: number | undefined): number {
  if (code === undefined) return Number.NaN;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : Number.NaN;
}
