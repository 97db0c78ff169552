/** All names of a type, in the order that they are given in. The compiler refuses a list that lacks one. */
export function allOf<Name extends string>(names: Record<Name, true>): readonly Name[] {
    return Object.keys(names) as Name[]
}
