import { frontEndCases } from "./cases.ts";

const { test } = frontEndCases("notebook");

test.run();
