import * as assert from "uvu/assert";
import { operatorTableInReadme, operatorTableText } from "../../support/operator-table.ts";
import { suite } from "../../support/suite.ts";

const test = suite("the table of operators in lib/README.md");

test("is that of the code: run `npm run operators` where it is not", () => {
  assert.is(operatorTableInReadme(), operatorTableText());
});

test.run();
