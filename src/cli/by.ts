import type { By } from "../index.ts"
import type { Context } from "./command.ts"
import type { OptionSpec } from "./option-spec.ts"

/** The option that says who asks. */
export const BY_OPTION: OptionSpec = {
    name: "by",
    value: "NAME",
    help: "who asks, for the audit log; default: the user of the system",
}

/** Who asks. */
export function byOf({ args, io }: Context): By {
    const by = args.text("by") ?? io.user
    return by === undefined ? {} : { by }
}
