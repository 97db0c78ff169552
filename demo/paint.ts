/** Colour only where someone looks, and nobody said no: https://no-color.org */
const hasColour = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb"

const ESCAPE = "\x1b["

function paint(code: number): (text: string) => string {
    return (text) => (hasColour ? `${ESCAPE}${code}m${text}${ESCAPE}0m` : text)
}

export const bold = paint(1)
export const dim = paint(2)
export const red = paint(31)
export const green = paint(32)
export const yellow = paint(33)
export const cyan = paint(36)

/** Cuts a painted line to a number of visible characters. */
export function clip(line: string, width: number): string {
    let left = width
    let clipped = ""
    for (const [i, part] of line.split(ESCAPE).entries()) {
        // Every part but the first begins with the rest of a colour code.
        const codeLength = i === 0 ? 0 : part.indexOf("m") + 1
        if (i > 0) clipped += ESCAPE + part.slice(0, codeLength)
        const text = part.slice(codeLength, codeLength + left)
        clipped += text
        left -= text.length
    }
    return clipped
}
