import { VERSION } from "../../index.ts"
import type { Command } from "../command.ts"
import { EXIT } from "../exit.ts"

/** Which release this is. */
export const version: Command = {
    name: "version",
    summary: "say which release this is",
    run: async ({ out }) => {
        out.show({ version: VERSION }, (look) => [look.line(VERSION)])
        return EXIT.ok
    },
}
