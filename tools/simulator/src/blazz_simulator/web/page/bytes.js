// Small things everything needs: bytes as text, random ids, digests, the time.
__d("WABase64", [], exports => {
  const bytes = data => (data instanceof Uint8Array ? data : new Uint8Array(data));
  exports.encodeB64 = data => btoa(Array.from(bytes(data), byte => String.fromCharCode(byte)).join(""));
  exports.encodeB64UrlSafe = data => exports.encodeB64(data).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  exports.decodeB64ToJsArray = text => Array.from(atob(text), letter => letter.charCodeAt(0));
  exports.decodeB64 = text => Uint8Array.from(exports.decodeB64ToJsArray(text)).buffer;
  exports.decodeB64UrlSafe = text => exports.decodeB64(text.replaceAll("-", "+").replaceAll("_", "/"));
  exports.sizeWhenB64Decoded = text => Math.floor(text.replace(/=+$/, "").length * 3 / 4);
});

__d("WAWebBytes", [], exports => {
  exports.randomBytes = size => crypto.getRandomValues(new Uint8Array(size));
  exports.randomHex = size => Array.from(exports.randomBytes(size), byte => byte.toString(16).padStart(2, "0")).join("");
});

__d("WATimeUtils", [], exports => {
  exports.unixTime = () => Math.floor(Date.now() / 1000);
  exports.unixTimeMs = () => Date.now();
});

__d("WAWebFilehash", ["WABase64"], (exports, require) => {
  exports.calculateFilehashFromBlob = async blob =>
    // Only a secure context (https, or this machine) has digests; elsewhere the server alone knows them.
    crypto.subtle ? require("WABase64").encodeB64(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())) : "";
});

__d("WAWebBuildConstants", [], exports => {
  // Any version wa-js supports; nothing depends on more than its order.
  exports.VERSION_PRIMARY = "2";
  exports.VERSION_SECONDARY = "3000";
  exports.VERSION_TERTIARY = "1044500000";
  exports.VERSION_STR = "2.3000.1044500000";
  exports.VERSION_BASE = exports.VERSION_STR;
  exports.SANITIZED_VERSION_STR = exports.VERSION_STR;
  exports.WINDOWS_BUILD = null;
});
