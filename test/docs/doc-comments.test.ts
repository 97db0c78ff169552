import { expect, it } from "vitest"
import { publicDeclarations } from "../support/declarations.ts"

it("every exported name, every option and every public method has a doc comment", () => {
    const undocumented: string[] = []
    for (const { name, isDocumented, members } of publicDeclarations()) {
        if (!isDocumented) undocumented.push(name)
        for (const member of members) {
            if (!member.isDocumented && member.isExpectedToBe) undocumented.push(`${name}.${member.name}`)
        }
    }
    expect(undocumented).toEqual([])
})
