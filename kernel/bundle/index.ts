// The library as few large files instead of eight hundred small ones, because a realm starts with nothing but loading it:
// which file a realm loads (here), how the files are made (build.ts, a step of `npm run build`), and the licences of the
// packages in them. What is in the library is said by kernel/preload.ts; who loads it is kernel/realm.
export { bundled } from "./bundled.ts";
