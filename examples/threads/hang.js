/** A mistake: it never ends, and does not ask its signal. */
export default function hang() {
    for (;;);
}
