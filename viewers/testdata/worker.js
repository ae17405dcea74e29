// Puts a token on each request for images, as docs/viewers.md has it.

let images, token;

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
	({images, token} = event.data);
	event.ports[0].postMessage("ready");
});
self.addEventListener("fetch", (event) => {
	if (token && event.request.url.startsWith(images)) {
		event.respondWith(fetch(event.request.url, {headers: {Authorization: `Bearer ${token}`}}));
	}
});
