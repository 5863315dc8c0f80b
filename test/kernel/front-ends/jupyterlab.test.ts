import { kernelTitle } from "../../support/front-ends.ts";
import { frontEndCases } from "./cases.ts";

const { test, frontEnds } = frontEndCases("lab");

test("offers our kernel by its name for a new notebook", async () => {
  await frontEnds().open("lab", "", async (page) => {
    await page.locator(".jp-LauncherCard-label", { hasText: kernelTitle }).first().waitFor();
  });
});

test.run();
