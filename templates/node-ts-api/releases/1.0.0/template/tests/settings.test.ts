import { expect, test } from "vitest";

import { readSettings } from "../src/settings.js";

test("settings have defaults which suit a laptop", () => {
  expect(readSettings({})).toMatchObject({ bindAddress: "127.0.0.1", port: 8080 });
});

test("settings are read from the environment", () => {
  const settings = readSettings({ LOG_LEVEL: "WARNING", PORT: "9000" });

  expect(settings).toMatchObject({ logLevel: "WARNING", port: 9000 });
});

test("every wrong setting is named", () => {
  expect(() => readSettings({ LOG_LEVEL: "LOUD", PORT: "65536" })).toThrow(/PORT.*LOG_LEVEL/);
});
