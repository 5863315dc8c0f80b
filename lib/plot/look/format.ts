/** Three significant digits at most, thousands separated by commas, no trailing zeros: `1,235`, `12.3`, `0.0457`. */
export function formatNumber(value: number, digits = 3): string {
  if (Number.isNaN(value)) return "not a number";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (magnitude >= 1e9 || magnitude < 1e-4) {
    const [mantissa, exponent] = magnitude.toExponential(digits - 1).split("e");
    const superscript = [...String(Number(exponent))].map((digit) => superscripts[digit]).join("");
    const shown = String(Number(mantissa));
    return `${sign}${shown === "1" ? "" : `${shown}×`}10${superscript}`;
  }
  const whole = Math.max(1, Math.floor(Math.log10(magnitude)) + 1);
  const rounded = magnitude >= 1000 ? String(Math.round(magnitude)) : String(Number(magnitude.toPrecision(digits)));
  return sign + (whole >= 4 || rounded.length >= 4 ? groupThousands(rounded) : rounded);
}

const superscripts: Readonly<Record<string, string>> = {
  "-": "⁻",
  "0": "⁰",
  "1": "¹",
  "2": "²",
  "3": "³",
  "4": "⁴",
  "5": "⁵",
  "6": "⁶",
  "7": "⁷",
  "8": "⁸",
  "9": "⁹",
};

function groupThousands(number: string): string {
  const [whole, fraction] = number.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

/** A whole number with all its digits: `1,234,567`. */
export function formatCount(value: number): string {
  return Number.isFinite(value)
    ? (value < 0 ? "−" : "") + groupThousands(String(Math.abs(Math.round(value))))
    : formatNumber(value);
}

const binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A number of bytes in binary units, named so: 1536 is `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  const { divisor, unit } = byteUnit(bytes);
  return `${formatNumber(bytes / divisor)} ${unit}`;
}

/** The binary unit in which a number of bytes has one to four digits before the point. */
export function byteUnit(bytes: number): { readonly divisor: number; readonly unit: string } {
  let power = 0;
  // 1023.5 would be shown as 1,024 of the smaller unit.
  while (power < binaryUnits.length - 1 && Math.abs(bytes) / 1024 ** power >= 1023.5) power++;
  return { divisor: 1024 ** power, unit: binaryUnits[power] };
}

const decimalPrefixes = ["", "k", "M", "G", "T", "P"];

/** A number of floating-point operations in decimal units: `1.23 MFLOP`. */
export function formatFlops(flops: number): string {
  let power = 0;
  while (power < decimalPrefixes.length - 1 && flops / 1000 ** power >= 999.5) power++;
  return `${formatNumber(flops / 1000 ** power)} ${decimalPrefixes[power]}FLOP`;
}

/** A share from 0 to 1 as a percentage with one decimal, so that a column of them lines up: 0.0213 is `2.1 %`. */
export function formatPercent(share: number): string {
  if (share > 0 && share < 0.0005) return "< 0.1 %";
  return `${(share * 100).toFixed(1)} %`;
}

/** `1 step`, `2 steps`; the plural is given where it is not a plain s. */
export function plural(count: number, noun: string, nouns = `${noun}s`): string {
  return `${formatCount(count)} ${count === 1 ? noun : nouns}`;
}
