import regular from "../assets/inter-regular.woff2";
import semibold from "../assets/inter-semibold.woff2";

let loading: Promise<unknown> | undefined;

/** Makes the shipped font known to the page, once; figures are measured with its widths. */
export function loadFont(): Promise<unknown> {
  loading ??= Promise.all(
    [new FontFace("Inter", regular, { weight: "400" }), new FontFace("Inter", semibold, { weight: "600" })].map(
      async (face) => document.fonts.add(await face.load()),
    ),
  );
  return loading;
}
