/** Fonts reach the browser inside of the bundle, as the bytes that esbuild's binary loader makes of them. */
declare module "*.woff2" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
