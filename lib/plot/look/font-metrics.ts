/** Advance widths of the two shipped weights of Inter, in thousandths of an em, for text that must be measured without a browser. */
// Read from assets/inter-*.ttf: characters 32 to 126 in order, then the others that labels use.
const regularAscii = [
  281, 288, 466, 633, 642, 982, 644, 300, 365, 365, 501, 662, 288, 460, 288, 360, 631, 407, 610, 618, 646, 593, 620,
  566, 619, 620, 288, 302, 662, 662, 662, 511, 966, 690, 654, 730, 722, 601, 590, 746, 743, 269, 571, 672, 565, 903,
  753, 765, 639, 765, 644, 642, 646, 744, 690, 985, 682, 679, 629, 365, 360, 365, 471, 456, 323, 562, 612, 571, 612,
  583, 370, 613, 591, 242, 242, 549, 242, 876, 591, 600, 612, 612, 376, 528, 327, 591, 562, 818, 546, 562, 552, 426,
  333, 426, 662,
];
const regularOthers: Readonly<Record<string, number>> = {
  "×": 662,
  "·": 288,
  "→": 954,
  "←": 954,
  "↑": 834,
  "↓": 834,
  "−": 662,
  "–": 500,
  "—": 1000,
  "…": 864,
  "≤": 662,
  "≥": 662,
  "≈": 662,
  "∞": 936,
  "√": 629,
  "²": 442,
  "³": 446,
  "½": 847,
  α: 664,
  β: 596,
  γ: 562,
  δ: 584,
  ε: 537,
  η: 591,
  θ: 621,
  λ: 642,
  μ: 586,
  σ: 624,
  τ: 466,
  φ: 721,
  ω: 805,
  Δ: 681,
  Σ: 689,
};
const semiboldAscii = [
  252, 321, 523, 644, 650, 1004, 663, 326, 373, 373, 540, 673, 319, 465, 319, 379, 660, 423, 623, 636, 666, 612, 640,
  576, 640, 640, 319, 329, 673, 673, 673, 543, 999, 728, 659, 737, 722, 605, 588, 749, 746, 277, 580, 703, 565, 922,
  759, 769, 645, 773, 652, 650, 660, 736, 728, 1020, 720, 713, 652, 373, 379, 373, 481, 469, 351, 574, 624, 583, 624,
  591, 389, 625, 612, 262, 262, 569, 262, 900, 612, 609, 624, 624, 397, 549, 353, 612, 587, 839, 569, 588, 566, 455,
  359, 455, 673,
];
const semiboldOthers: Readonly<Record<string, number>> = {
  "×": 673,
  "·": 319,
  "→": 954,
  "←": 954,
  "↑": 881,
  "↓": 881,
  "−": 673,
  "–": 500,
  "—": 1000,
  "…": 956,
  "≤": 673,
  "≥": 673,
  "≈": 673,
  "∞": 966,
  "√": 656,
  "²": 454,
  "³": 463,
  "½": 870,
  α: 684,
  β: 605,
  γ: 587,
  δ: 598,
  ε: 551,
  η: 612,
  θ: 625,
  λ: 669,
  μ: 614,
  σ: 642,
  τ: 495,
  φ: 772,
  ω: 824,
  Δ: 722,
  Σ: 692,
};

export type FontWeight = "regular" | "semibold";

const advances: Readonly<Record<FontWeight, { ascii: readonly number[]; others: Readonly<Record<string, number>> }>> = {
  regular: { ascii: regularAscii, others: regularOthers },
  semibold: { ascii: semiboldAscii, others: semiboldOthers },
};

/** Above any Latin, Greek or Cyrillic letter of the font but a few, so that an unknown letter leaves room, not a clash. */
const unknownAdvance = 800;
const fullWidthAdvance = 1000;
const firstFullWidth = 0x2e80;

/**
 * The width of one line of text in pixels, kerning left out (it only narrows).
 *
 * @param size font size in pixels
 */
export function textWidth(text: string, size: number, weight: FontWeight = "regular"): number {
  const { ascii, others } = advances[weight];
  let thousandths = 0;
  for (const character of text) {
    const code = character.codePointAt(0)!;
    thousandths +=
      ascii[code - 32] ?? others[character] ?? (code >= firstFullWidth ? fullWidthAdvance : unknownAdvance);
  }
  return (thousandths * size) / 1000;
}

/** Which part of a text that is too long is kept: of paths the end tells them apart, of compound names both ends. */
export type KeptPart = "start" | "end" | "both";

/** Shortens a text with an ellipsis until it is at most `width` pixels wide; the empty string if nothing fits. */
export function fitText(
  text: string,
  width: number,
  size: number,
  weight: FontWeight = "regular",
  keep: KeptPart = "start",
): string {
  if (textWidth(text, size, weight) <= width) return text;
  const characters = [...text];
  for (let length = characters.length - 1; length > 0; length--) {
    const atStart = { start: length, end: 0, both: Math.ceil(length / 2) }[keep];
    const start = characters.slice(0, atStart).join("").trimEnd();
    const end = characters
      .slice(characters.length - (length - atStart))
      .join("")
      .trimStart();
    const shortened = `${start}…${length === atStart ? "" : end}`;
    if (textWidth(shortened, size, weight) <= width) return shortened;
  }
  return "";
}

/** Breaks a text at spaces into lines of at most `width` pixels; a longer word is shortened. */
export function wrapText(text: string, width: number, size: number, weight: FontWeight = "regular"): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (textWidth(longer, size, weight) <= width) {
      line = longer;
    } else {
      if (line !== "") lines.push(line);
      line = fitText(word, width, size, weight);
    }
  }
  if (line !== "") lines.push(line);
  return lines;
}
