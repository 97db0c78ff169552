import { join } from "node:path"
import ts from "typescript"
import { ROOT } from "./root.ts"

/** A property or method that users see. */
export interface Member {
    readonly name: string
    /** Its type, as the source writes it. */
    readonly type: string
    readonly isOptional: boolean
    readonly isDocumented: boolean
    /** Options, and what classes offer, need a comment each; the fields of an event explain themselves. */
    readonly isExpectedToBe: boolean
}

/** Something that one of the package's doors exports. */
export interface Declaration {
    readonly name: string
    readonly isDocumented: boolean
    readonly members: readonly Member[]
}

/** Everything that the package exports, read from the sources. */
export function publicDeclarations(): Declaration[] {
    const doors = ["src/index.ts", "src/embedded.ts", "src/dashboard.ts"].map((file) => join(ROOT, file))
    const program = ts.createProgram(doors, {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext,
        moduleResolution: ts.ModuleResolutionKind.NodeNext,
        allowImportingTsExtensions: true,
        noEmit: true,
        strict: true,
        skipLibCheck: true,
    })
    const checker = program.getTypeChecker()
    const symbols = new Set<ts.Symbol>()
    for (const door of doors) {
        const source = program.getSourceFile(door)
        const module = source === undefined ? undefined : checker.getSymbolAtLocation(source)
        for (const symbol of module === undefined ? [] : checker.getExportsOfModule(module)) {
            symbols.add(symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol)
        }
    }
    return [...symbols].map((symbol) => ({
        name: symbol.name,
        isDocumented: symbol.getDocumentationComment(checker).length > 0,
        members: (symbol.declarations ?? []).flatMap((declaration) => membersIn(declaration, checker)),
    }))
}

/** The members of one of the declarations. */
export function membersOf(declarations: readonly Declaration[], name: string): readonly Member[] {
    const declaration = declarations.find((candidate) => candidate.name === name)
    if (declaration === undefined) throw new Error(`nothing named ${name} is exported`)
    return declaration.members
}

function membersIn(declaration: ts.Declaration, checker: ts.TypeChecker): Member[] {
    if (!ts.isInterfaceDeclaration(declaration) && !ts.isClassDeclaration(declaration)) return []
    const isClass = ts.isClassDeclaration(declaration)
    const isOptions = /Options$|^DeferClient$/.test(declaration.name?.text ?? "")
    return (declaration.members as ts.NodeArray<ts.ClassElement | ts.TypeElement>).flatMap((member) => {
        const { name } = member
        const isHidden =
            ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)
        if (name === undefined || ts.isPrivateIdentifier(name) || isHidden) return []
        const symbol = checker.getSymbolAtLocation(name)
        return {
            name: name.getText(),
            type: "type" in member && member.type ? (member.type as ts.TypeNode).getText() : "",
            isOptional: "questionToken" in member && member.questionToken !== undefined,
            isDocumented: (symbol?.getDocumentationComment(checker).length ?? 0) > 0,
            isExpectedToBe: isClass || isOptions,
        }
    })
}
