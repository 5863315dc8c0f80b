// The script that a page embeds: it puts one name on the page, TesseraFigures, and nothing else.
import { render } from "./render.ts";

Object.assign(globalThis, { TesseraFigures: { render } });
