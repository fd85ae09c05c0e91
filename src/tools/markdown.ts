// Markdown to the HTML of a mail: structure and links, nothing that runs, loads or tracks.
const linkSchemes = /^(https?:|mailto:|tel:)/i;

/** HTML from markdown. Raw HTML in it is shown as text, images become their links, other schemes lose theirs. */
export async function renderMarkdown(source: string): Promise<string> {
  const { Marked } = await import('marked');
  const marked = new Marked({
    gfm: true,
    renderer: {
      html: ({ text }) => escapeHtml(text),
      link({ href, tokens }) {
        const label = this.parser.parseInline(tokens);
        return linkSchemes.test(href) ? `<a href="${escapeHtml(href)}">${label}</a>` : label;
      },
      image: ({ href, text }) =>
        linkSchemes.test(href)
          ? `<a href="${escapeHtml(href)}">${escapeHtml(text || href)}</a>`
          : escapeHtml(text),
    },
  });
  return marked.parse(source);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
