// Who the visitor can be, and how each of them proves it.

/** The choices, in the order of their rights. `token` names a token in tokens.json. */
export const people = [
  { key: "nobody", name: "Nobody", note: "no credential", token: null },
  { key: "citizen", name: "Citizen", note: "login link by mail", token: "citizen" },
  { key: "servant", name: "Civil servant", note: "bearer token, BD/R", token: "servant" },
  { key: "special", name: "With special rights", note: "bearer token, BD/X", token: "special" },
];

/** A visitor knows how to ask: a mail token goes into the address, a bearer token into a header. */
export class Visitor {
  constructor(person, tokens) {
    this.person = person;
    this.token = person.token ? tokens[person.token] : null;
  }

  /** Headers of each request. */
  get headers() {
    return this.token && this.person.key !== "citizen" ? { Authorization: `Bearer ${this.token}` } : {};
  }

  /** The address with what the visitor has to put into it. */
  address(url) {
    if (!this.token || this.person.key !== "citizen") {
      return url;
    }
    return `${url}${url.includes("?") ? "&" : "?"}auth=${encodeURIComponent(this.token)}`;
  }

  /** Asks, and never shows the token in `shown`. */
  async ask(url, signal) {
    const response = await fetch(this.address(url), { headers: this.headers, signal });
    const shown = this.address(url).replace(/auth=[^&]+/, "auth=(token)");
    return { response, shown };
  }
}
