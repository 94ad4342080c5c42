/** The test IdP's login page: a button for each user, a field for any, and a way to say no. */
export function loginPage(action: string, subjects: readonly string[]): string {
  const buttons = subjects.map((subject) =>
    `<button name="login" value="${escapeHtml(subject)}">${escapeHtml(subject)}</button>`
  ).join("\n");
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Test IdP: log in</title>
<style>body{font:1rem/1.6 system-ui;max-width:24rem;margin:15vh auto;padding:0 1rem}button{font:inherit;padding:.3rem 1rem;margin:.2rem}</style>
<h1>Log in as</h1>
<form method="post" action="${escapeHtml(action)}">
${buttons}
<button name="login" value="!deny">nobody (refuse)</button>
</form></html>`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
