// What library vertices run lives here: a file a codelet, with its fields, what it computes and what it costs.
// How codelets are declared and connected is said in graph/, how they are run in simulator/.
// Go next to table.ts for the list, or to simulator/ for a device that runs them.
export { codeletTable } from "./table.ts";
