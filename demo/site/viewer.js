// Shows an image: in OpenSeadragon where that was there when the demo started, else as a plain <img>.

const deepZoom = globalThis.OpenSeadragon;

/** A stage shows one image at a time. */
export class Stage {
  constructor(viewerElement, plainElement) {
    this.viewerElement = viewerElement;
    this.plainElement = plainElement;
    this.image = plainElement.querySelector("img");
    this.viewer = null;
    this.scale = 1;
  }

  /** Whether single tiles are fetched as they are needed. */
  get zoomsDeep() {
    return Boolean(deepZoom);
  }

  /** Forgets what is shown. */
  clear() {
    this.viewer?.destroy();
    this.viewer = null;
    this.viewerElement.hidden = true;
    this.plainElement.hidden = true;
    if (this.image.src) {
      URL.revokeObjectURL(this.image.src);
      this.image.removeAttribute("src");
    }
  }

  /** Shows the image that info (an info.json) describes, as visitor; label is its name for those who do not see it. */
  async show(info, visitor, label, signal) {
    this.clear();
    if (deepZoom) {
      this.showTiles(info, visitor, label);
    } else {
      await this.showWhole(info, visitor, label, signal);
    }
  }

  showTiles(info, visitor, label) {
    this.viewerElement.hidden = false;
    this.viewer = deepZoom({
      element: this.viewerElement,
      drawer: "canvas",
      showNavigationControl: false,
      showNavigator: true,
      navigatorPosition: "BOTTOM_RIGHT",
      navigatorSizeRatio: 0.15,
      visibilityRatio: 0.5,
      maxZoomPixelRatio: 2,
      animationTime: 0.6,
      gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
      // A bearer token is a header, which an <img> cannot send.
      loadTilesWithAjax: Object.keys(visitor.headers).length > 0,
      ajaxHeaders: visitor.headers,
    });
    this.viewer.canvas.setAttribute("aria-label", `${label}. Arrow keys move, plus and minus zoom, 0 shows all.`);
    this.viewer.canvas.setAttribute("role", "application");
    const source = new deepZoom.IIIFTileSource(deepZoom.IIIFTileSource.prototype.configure(info, info.id ?? info["@id"]));
    const address = source.getTileUrl;
    source.getTileUrl = function getTileUrl(...place) {
      return visitor.address(address.apply(this, place));
    };
    this.viewer.open(source);
  }

  async showWhole(info, visitor, label, signal) {
    const { response } = await visitor.ask(`${info.id ?? info["@id"]}/full/!1600,1600/0/default.jpg`, signal);
    this.image.src = URL.createObjectURL(await response.blob());
    this.image.alt = label;
    this.plainElement.hidden = false;
    await this.image.decode();
    this.whole();
  }

  zoom(factor) {
    if (this.viewer) {
      this.viewer.viewport.zoomBy(factor);
      this.viewer.viewport.applyConstraints();
      return;
    }
    this.scale = Math.min(8, Math.max(0.05, this.scale * factor));
    this.image.width = Math.round(this.image.naturalWidth * this.scale);
  }

  whole() {
    if (this.viewer) {
      this.viewer.viewport.goHome();
      return;
    }
    this.scale = Math.min(this.plainElement.clientWidth / this.image.naturalWidth, this.plainElement.clientHeight / this.image.naturalHeight);
    this.zoom(1);
  }
}
