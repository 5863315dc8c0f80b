import { Resvg } from "@resvg/resvg-js";
import { lab, rgb } from "d3";
import * as assert from "uvu/assert";
import { moveApart } from "../../../lib/plot/charts/end-labels.ts";
import { fitText, textWidth, wrapText } from "../../../lib/plot/look/font-metrics.ts";
import { formatBytes, formatCount, formatFlops, formatNumber, formatPercent } from "../../../lib/plot/look/format.ts";
import { inkOn, themes } from "../../../lib/plot/look/theme.ts";
import { projectRoot } from "../../support/environment.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the look of figures");

// Machado, Oliveira and Fernandes (2009), table of matrices at severity 1, for linear RGB.
const sights: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "normal sight": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** The CIELAB coordinates of a colour as somebody with that sight sees it. */
function seen(color: string, matrix: readonly (readonly number[])[]): readonly [number, number, number] {
  const { r, g, b } = rgb(color);
  const linear = [r, g, b].map((value) =>
    value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
  );
  const [red, green, blue] = matrix.map((row) => {
    const value = Math.min(1, Math.max(0, row[0] * linear[0] + row[1] * linear[1] + row[2] * linear[2]));
    return 255 * (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055);
  });
  const { l, a, b: yellow } = lab(rgb(red, green, blue));
  return [l, a, yellow];
}

test("colours that mean something stay apart for every kind of colour sight", () => {
  for (const theme of Object.values(themes)) {
    const sets = { categories: theme.categories, columns: theme.columns, phases: theme.phases, series: theme.series };
    for (const [set, members] of Object.entries(sets)) {
      const colors = Object.entries(members);
      for (const [sight, matrix] of Object.entries(sights)) {
        for (const [index, [name, color]] of colors.entries()) {
          for (const [other, otherColor] of colors.slice(index + 1)) {
            const [one, two] = [seen(color, matrix), seen(otherColor, matrix)];
            const distance = Math.hypot(one[0] - two[0], one[1] - two[1], one[2] - two[2]);
            // 2.3 is just noticeable side by side; ten times that is told apart across a picture.
            assert.ok(
              distance > 20,
              `${theme.name} ${set}: ${name} and ${other} under ${sight}: ${distance.toFixed(1)}`,
            );
          }
        }
      }
    }
  }
});

test("letters contrast with what they stand on", () => {
  const luminance = (color: string): number => {
    const { r, g, b } = rgb(color);
    const [red, green, blue] = [r, g, b].map((value) =>
      value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: string, two: string): number => {
    const [dark, light] = [luminance(one), luminance(two)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  for (const theme of Object.values(themes)) {
    for (const surface of [theme.card, theme.band]) {
      assert.ok(contrast(theme.text, surface) > 12, `${theme.name} text`);
      assert.ok(contrast(theme.muted, surface) > 4.5, `${theme.name} muted: ${contrast(theme.muted, surface)}`);
      assert.ok(contrast(theme.accent, surface) > 4.5, `${theme.name} accent: ${contrast(theme.accent, surface)}`);
    }
    for (const [name, color] of [...Object.entries(theme.categories), ...Object.entries(theme.phases)]) {
      assert.ok(contrast(inkOn(color), color) > 4, `${theme.name} ${name}: ${contrast(inkOn(color), color)}`);
    }
  }
});

test("texts are as wide as the rasteriser draws them", () => {
  const fontFiles = ["regular", "semibold"].map((weight) => `${projectRoot}/lib/plot/assets/inter-${weight}.ttf`);
  const drawnWidth = (text: string, weight: number): number => {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="9000" height="200"><text x="10" y="120" font-size="100" font-family="Inter" font-weight="${weight}">${text}</text></svg>`;
    return new Resvg(svg, { font: { loadSystemFonts: false, fontFiles } }).innerBBox()!.width;
  };
  for (const [weight, number] of [
    ["regular", 400],
    ["semibold", 600],
  ] as const) {
    for (const text of [
      "dense1.weightGradient",
      "721 KiB · step 100, backward",
      "float32[64,128]",
      "α → β: 3 × 10² ≤ 7",
    ]) {
      // Between two letters without overhang the box begins and ends alike, so only the text makes the difference.
      const drawn = drawnWidth(`H${text}H`, number) - drawnWidth("HH", number);
      const told = textWidth(text, 100, weight);
      assert.ok(
        told >= drawn - 2 && told <= drawn * 1.03 + 2,
        `${text}: told ${told.toFixed(0)}, drawn ${drawn.toFixed(0)}`,
      );
    }
  }
});

test("texts are shortened to fit, and broken between words", () => {
  assert.is(fitText("short", 100, 12), "short");
  const cut = fitText("dense1.weightGradient", 80, 12);
  assert.match(cut, /^dense1.*…$/);
  assert.ok(textWidth(cut, 12) <= 80);
  assert.is(fitText("wide", 1, 12), "");
  const lines = wrapText("a line is a tensor, in the colour of the column that made it", 120, 12);
  assert.is(lines.join(" "), "a line is a tensor, in the colour of the column that made it");
  for (const line of lines) assert.ok(textWidth(line, 12) <= 120, line);
});

test("bytes are told in binary units", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0 B"],
    [1, "1 B"],
    [999, "999 B"],
    [1000, "1,000 B"],
    [1023, "1,023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [738_164, "721 KiB"],
    [1024 ** 2 - 1, "1 MiB"],
    [1024 ** 2, "1 MiB"],
    [3.5 * 1024 ** 3, "3.5 GiB"],
  ];
  for (const [bytes, text] of cases) assert.is(formatBytes(bytes), text);
});

test("numbers are short and have no false zeros", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0"],
    [0.0457123, "0.0457"],
    [-12.34, "−12.3"],
    [999.6, "1,000"],
    [1234.5, "1,235"],
    [101_770, "101,770"],
    [1e9, "10⁹"],
    [2.5e12, "2.5×10¹²"],
    [3e-7, "3×10⁻⁷"],
    [Number.NaN, "not a number"],
    [Number.POSITIVE_INFINITY, "∞"],
  ];
  for (const [value, text] of cases) assert.is(formatNumber(value), text);
  assert.is(formatCount(1_234_567), "1,234,567");
  assert.is(formatFlops(26_400_000), "26.4 MFLOP");
  assert.is(formatPercent(0.0213), "2.1 %");
  assert.is(formatPercent(0.0001), "< 0.1 %");
});

test("labels are moved apart, in order, and no farther than the space they have", () => {
  const moved = moveApart([10, 11, 12, 90, 99], 15, 0, 100);
  for (let index = 1; index < moved.length; index++) assert.ok(moved[index] - moved[index - 1] >= 15 - 1e-9);
  assert.ok(moved[0] >= 0 && moved[4] <= 100);
  assert.equal(moveApart([10, 50], 15, 0, 100), [10, 50]);
});

test.run();
