import { PAGE_KEYS } from "../keys.ts"
import { Dialog } from "../parts/dialog.tsx"

/** Which keys do what. */
export function HelpDialog({ onClose }: { onClose: () => void }) {
    const rows: [keys: string[], text: string][] = [
        ...PAGE_KEYS.map(({ letter, title }): [string[], string] => [["g", letter], title]),
        [["/"], "To the filter of this page"],
        [["n"], "Add a job"],
        [["?"], "These keys"],
        [["Esc"], "Close what is open"],
        [["Shift", "click"], "Select all rows since the last one"],
    ]
    return (
        <Dialog title="Keys" onClose={onClose}>
            <dl class="keys">
                {rows.map(([keys, text]) => (
                    <div key={text}>
                        <dt>
                            {keys.map((key) => (
                                <kbd key={key}>{key}</kbd>
                            ))}
                        </dt>
                        <dd>{text}</dd>
                    </div>
                ))}
            </dl>
        </Dialog>
    )
}
