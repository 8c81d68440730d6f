// Files: what is known of one, how it is sent, how it is had again.
__d("WAWebMediaData", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class MediaData extends BaseModel {
    isStreamable() { return false; }
    isDownloadable() { return Boolean(this.directPath); }
  }
  exports.default = defineModel(MediaData, "media-data", ["type", "directPath", "mediaKey", "mediaKeyTimestamp", "encFilehash", "mediaStage", "size",
    "filehash", "mimetype", "mediaBlob", "renderableUrl", "fullHeight", "fullWidth", "isAnimated", "isViewOnce", "preview", "duration", "isGif",
    "filename", "pageCount"]);
  const FIELDS = ["type", "directPath", "mediaKey", "size", "filehash", "mimetype", "duration", "isGif", "filename", "isViewOnce"];
  exports.of = message => {
    const known = Object.fromEntries(FIELDS.map(name => [name, message.attributes[name]]).filter(([, value]) => value !== undefined));
    return new MediaData({ ...known, fullWidth: message.width, fullHeight: message.height, mediaStage: "INIT" });
  };
  exports.objectOf = data => ({ type: String(data.type).toUpperCase(), filehash: data.filehash, size: data.size, mediaBlob: data.mediaBlob });
});

__d("WAWebMediaOpaqueDataBase", [], exports => {
  class OpaqueDataBase {
    released = false;
    retain() {}
    autorelease() {}
    autoreleaseWhenPromiseCompletes() {}
    throwIfReleased() { if (this.released) throw new Error("The data was released"); }
  }
  exports.default = OpaqueDataBase;
});

__d("WAWebMediaOpaqueData", ["WAWebMediaOpaqueDataBase"], (exports, require) => {
  const OpaqueDataBase = require("WAWebMediaOpaqueDataBase").default;
  class OpaqueData extends OpaqueDataBase {
    constructor(blob) { super(); this.blob = blob; }
    throwIfReleased() { super.throwIfReleased(); }
    url() { return URL.createObjectURL(this.blob); }
    type() { return this.blob.type; }
    size() { return this.blob.size; }
    forceToBlob() { return this.blob; }
    async validate() { return true; }
    static async createFromData(data, type) { return new OpaqueData(data instanceof Blob && data.type === type ? data : new Blob([data], { type })); }
    static createFromBase64Jpeg(text) { return OpaqueData.createFromData(require("WABase64").decodeB64(text), "image/jpeg"); }
  }
  exports.default = OpaqueData;
});

__d("WAWebPrepRawMedia", ["WAWebMediaData", "WAWebMediaDimensions", "WAWebSendMsgChatAction"], (exports, require) => {
  const MediaData = require("WAWebMediaData").default;

  const kind = (mimetype, { asDocument, asSticker, isPtt, isAudio }) => {
    if (asDocument) return "document";
    if (asSticker) return "sticker";
    if (isPtt) return "ptt";
    if (isAudio) return "audio";
    const [family] = mimetype.split("/");
    return ["image", "video", "audio"].includes(family) ? family : "document";
  };

  class MediaPrep {
    constructor(type, opaque, options) {
      const blob = opaque.forceToBlob();
      this.blob = blob;
      this._mediaData = new MediaData({ type, mimetype: blob.type, size: blob.size, mediaStage: "PREPARING", isGif: Boolean(options.asGif),
        duration: options.precomputedFields?.duration, filename: blob.name });
      this.waveform = options.precomputedFields?.waveform;
      this.ready = require("WAWebMediaDimensions").measure(type, blob).then(size => this._mediaData.set({ ...size, mediaStage: "PREPARED" }));
    }

    async waitForPrep() {
      await this.ready;
      return this._mediaData;
    }

    // The message appears in its chat at once, without its file; it leaves when the file is uploaded.
    async sendToChat({ chat, options }) {
      const data = await this.waitForPrep();
      const { caption, filename, ...raw } = options.productMsgOptions;
      const { type } = data;
      const message = {
        ...raw, type, body: undefined, mimetype: data.mimetype, size: data.size, isGif: data.isGif, duration: data.duration,
        width: data.fullWidth, height: data.fullHeight, waveform: this.waveform, isViewOnce: options.isViewOnce, mediaData: data,
        ...(options.caption !== undefined || type === "document" ? { caption: options.caption ?? filename } : {}),
        ...(type === "document" ? { filename } : {}),
      };
      for (const name of Object.keys(message)) if (message[name] === undefined) delete message[name];
      const [added, sent] = require("WAWebSendMsgChatAction").addAndSend(chat, message, this.blob);
      await added;
      return sent;
    }
  }
  exports.MediaPrep = MediaPrep;
  exports.prepRawMedia = (opaque, options) => new MediaPrep(kind(opaque.type(), options), opaque, options);
  exports.uploadProductImage = async () => { throw new Error("There is no catalogue here"); };
});

__d("WAWebMediaDimensions", [], exports => {
  exports.measure = async (type, blob) => {
    if (type !== "image" && type !== "sticker") return {};
    try {
      const picture = await createImageBitmap(blob);
      const size = { fullWidth: picture.width, fullHeight: picture.height };
      picture.close();
      return size;
    } catch { return {}; }
  };
  exports.getImageWidthHeight = exports.measure;
});

__d("WAWebMediaUpload", ["WAWebIdentity", "WAWebMsgCollection"], (exports, require) => {
  const TOO_LARGE = 413;
  exports.upload = async (message, blob) => {
    const { device, token } = require("WAWebIdentity").device() ?? {};
    message.mediaData?.set({ mediaStage: "UPLOADING" });
    const filename = message.filename ? `?filename=${encodeURIComponent(message.filename)}` : "";
    const answer = await fetch(`/web/media${filename}`, { method: "POST", body: blob, headers: { "X-Device": device ?? "", "X-Token": token ?? "", "Content-Type": message.mimetype || "application/octet-stream" } });
    if (answer.status === TOO_LARGE) throw Object.assign(new Error("The file is too large"), { code: TOO_LARGE });
    if (!answer.ok) throw new Error(`The upload failed: ${answer.status}`);
    const { directPath, size, filehash } = await answer.json();
    const mediaKey = require("WABase64").encodeB64(require("WAWebBytes").randomBytes(32));
    message.set({ directPath, size, filehash, mediaKey });
    message.mediaData?.set({ directPath, size, filehash, mediaKey, mediaStage: "UPLOADED" });
    require("WAWebMsgCollection").MsgCollection.keep(message);
  };
});

__d("WAWebUploadManager", [], exports => { exports.uploadMedia = async () => {}; });

__d("WAWebLruMediaStore", [], exports => {
  const BYTES_MAX = 16 * 1024 * 1024; // of memory; what was pushed out is downloaded again
  const kept = new Map();
  let bytes = 0;
  const drop = key => { bytes -= kept.get(key)?.byteLength ?? 0; return kept.delete(key); };
  exports.LruMediaStore = {
    async get(key) {
      const data = kept.get(key);
      if (!data) return null;
      kept.delete(key);
      kept.set(key, data);
      return data;
    },
    async put(key, value) {
      drop(key);
      kept.set(key, value);
      bytes += value.byteLength;
      for (const oldest of kept.keys()) {
        if (bytes <= BYTES_MAX || kept.size === 1) break;
        drop(oldest);
      }
    },
    async del(key) { drop(key); },
    async clear() { kept.clear(); bytes = 0; },
    async count() { return kept.size; },
    async has(key) { return kept.has(key); },
  };
});

__d("WAWebMediaInMemoryBlobCache", [], exports => {
  class InMemoryMediaBlobCacheImpl {
    blobs = new Map();
    has(key) { return this.blobs.has(key); }
    get(key) { return this.blobs.get(key); }
    put(key, blob) { this.blobs.set(key, blob); }
    clear() { this.blobs.clear(); }
  }
  exports.InMemoryMediaBlobCacheImpl = InMemoryMediaBlobCacheImpl;
  exports.InMemoryMediaBlobCache = new InMemoryMediaBlobCacheImpl();
});

__d("WAWebMediaDownload", ["WAWebLruMediaStore", "WAWebMediaOpaqueData"], (exports, require) => {
  // A file that is gone, or a message that names none, leaves nothing behind: whoever asked finds that out.
  exports.download = async message => {
    const data = message.mediaData;
    const path = data?.directPath ?? message.directPath;
    if (!path) return;
    data.mediaStage = "FETCHING";
    const answer = await fetch(path);
    if (!answer.ok) {
      data.mediaStage = "ERROR_MISSING";
      return;
    }
    const bytes = await answer.arrayBuffer();
    if (data.filehash) await require("WAWebLruMediaStore").LruMediaStore.put(data.filehash, bytes);
    else data.set({ mediaBlob: await require("WAWebMediaOpaqueData").default.createFromData(bytes, data.mimetype) });
    data.mediaStage = "RESOLVED";
  };
});

__d("WAWebMediaGatingUtils", [], exports => {
  const MB = 1024 * 1024;
  exports.getUploadLimit = type => (type === "document" ? 100 * MB : type === "sticker" ? MB : 64 * MB);
});

__d("WAWebServerPropConstants", [], exports => {
  Object.assign(exports, { MMS_VCARD_AUTODOWNLOAD_SIZE_KB: 64, VCARD_AS_DOCUMENT_SIZE_KB: 64, VCARD_MAX_SIZE_KB: 5000, MULTICAST_LIMIT_GLOBAL: 5,
    DEFAULT_MAX_FILE_SIZE_BYTES: 100 * 1024 * 1024, MAX_FILE_SIZE_BYTES: 100 * 1024 * 1024 });
});
