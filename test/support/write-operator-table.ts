import { writeOperatorTable } from "./operator-table.ts";

writeOperatorTable();
