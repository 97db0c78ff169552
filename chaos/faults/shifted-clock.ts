/**
 * Loaded before a program: its wall clock is wrong from then on, by CHAOS_CLOCK_SHIFT_MS. Timers and the monotonic
 * clock are right, as they are on a host whose date is wrong.
 */
const shiftMs = Number(process.env.CHAOS_CLOCK_SHIFT_MS ?? 0)
const TrueDate = globalThis.Date

class ShiftedDate extends TrueDate {
    constructor(...args: [] | ConstructorParameters<DateConstructor>) {
        if (args.length === 0) super(TrueDate.now() + shiftMs)
        else super(...args)
    }

    static override now(): number {
        return TrueDate.now() + shiftMs
    }
}

globalThis.Date = ShiftedDate as DateConstructor
