/** oidc-provider without its remark, at import, that Deno is not Node.js. */
const say = console.warn;
console.warn = () => {};
const { default: Provider } = await import("oidc-provider");
console.warn = say;

export { Provider };
