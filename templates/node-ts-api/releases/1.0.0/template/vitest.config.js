import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    // Only ends a test that would hang, however busy the machine is.
    testTimeout: 60_000,
    coverage: {
      include: ["src/**"],
      // Starts the process; it is run, not imported.
      exclude: ["src/main.ts"],
      thresholds: { branches: 85, functions: 85, lines: 85 },
    },
  },
});
