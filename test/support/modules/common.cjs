/** Job functions as a compiler to CommonJS exports them. */
Object.defineProperty(exports, "__esModule", { value: true })
exports.default = (payload) => ({ ...payload, how: "default" })
exports.named = (payload) => ({ ...payload, how: "named" })
