// What the tests ask of each page. The page itself says osd(), the OpenSeadragon viewer that is underneath, once there
// is one.

const frame = () => new Promise(requestAnimationFrame);
const moment = () => new Promise((resolve) => setTimeout(resolve, 15));

// token is to be sent with the images, where the page's address has one.
const token = new URLSearchParams(location.search).get("token");

// Without a graphics card WebGL is drawn by the processor, which takes long. Viewers then draw as they do where there
// is none, unless the page's address asks for it.
if (!location.search.includes("webgl")) {
	const getContext = HTMLCanvasElement.prototype.getContext;
	HTMLCanvasElement.prototype.getContext = function (kind, ...more) {
		return kind.includes("webgl") ? null : getContext.call(this, kind, ...more);
	};
}

// ready waits until the viewer stands.
async function ready() {
	while (!osd()) {
		await moment();
	}
}

// identifier is that of the image a tile source is for, in version 2 and 3.
const identifier = (source) => source["@id"] || source.id;

function atRest(viewport) {
	const now = viewport.getBounds(true), then = viewport.getBounds(false);
	const near = (a, b) => Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(b));
	return near(now.x, then.x) && near(now.y, then.y) && near(now.width, then.width) &&
		near(viewport.getRotation(true), viewport.getRotation(false));
}

// shown waits until the image with an identifier is the only one, has all tiles that it needs, and moves no more.
async function shown(id) {
	for (;;) {
		const viewer = osd();
		if (viewer && viewer.viewport && viewer.world.getItemCount() === 1) {
			const item = viewer.world.getItemAt(0);
			if (identifier(item.source) === id && item.getFullyLoaded() && atRest(viewer.viewport)) {
				await frame();
				await frame();
				return item;
			}
		}
		await moment();
	}
}

async function arrived(id) {
	await shown(id);
}

const scratch = document.createElement("canvas");

// means gives the mean colours of squares of a canvas, of so many pixels each side.
function means(drawn, side) {
	const columns = Math.floor(drawn.width / side), rows = Math.floor(drawn.height / side);
	scratch.width = columns * side;
	scratch.height = rows * side;
	const context = scratch.getContext("2d", {willReadFrequently: true});
	context.drawImage(drawn, 0, 0);
	const pixels = context.getImageData(0, 0, scratch.width, scratch.height).data;
	const sums = new Float64Array(3 * columns * rows);
	for (let y = 0, i = 0; y < scratch.height; y++) {
		for (let x = 0; x < scratch.width; x++, i += 4) {
			const cell = 3 * (Math.floor(y / side) * columns + Math.floor(x / side));
			sums[cell] += pixels[i];
			sums[cell + 1] += pixels[i + 1];
			sums[cell + 2] += pixels[i + 2];
		}
	}
	let cells = "";
	for (const sum of sums) {
		cells += String.fromCharCode(Math.round(sum / (side * side)));
	}
	return {columns, rows, side, cells: btoa(cells)};
}

// look tells what the canvas shows, and where the image's corners are on it.
async function look(id, side) {
	const item = await shown(id);
	const viewer = osd(), drawn = viewer.drawer.canvas;
	const ratio = drawn.width / viewer.viewport.getContainerSize().x;
	const at = (x, y) => {
		const pixel = viewer.viewport.pixelFromPoint(item.imageToViewportCoordinates(x, y, true), true);
		return [pixel.x * ratio, pixel.y * ratio];
	};
	const {x: width, y: height} = item.getContentSize();
	return {width, height, corner: at(0, 0), right: at(width, 0), below: at(0, height), ...means(drawn, side)};
}

// zoom shows a place of the image so that a pixel of it is a pixel of the screen.
async function zoom(id, x, y) {
	const item = await shown(id), viewport = osd().viewport;
	viewport.zoomTo(item.imageToViewportZoom(1 / window.devicePixelRatio), null, true);
	viewport.panTo(item.imageToViewportCoordinates(x, y), true);
}
