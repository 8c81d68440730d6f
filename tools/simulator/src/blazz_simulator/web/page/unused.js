// What scripts that drive the page look up, wrap or import, and this page has no use for: catalogues, statuses, labels, polls,
// newsletters, the protobufs of the real protocol. Each is the least that keeps them quiet; nothing here does anything.
(() => {
  const named = (id, names, value = async () => undefined) => __d(id, [], exports => { for (const name of names) exports[name] = (...args) => value(...args); });

  named("WAWebE2EProtoGenerator", ["createMsgProtobuf"], () => ({}));
  named("WAWebE2EProtoUtils", ["typeAttributeFromProtobuf"], () => "text");
  named("WAWebBackendJobsCommon", ["mediaTypeFromProtobuf", "encodeMaybeMediaType"], () => null);
  named("WAWebSendMsgCreateFanoutStanza", ["createFanoutMsgStanza"]);
  named("WAWebSendStatusMsgJob", ["encryptAndSendStatusMsg"]);
  named("WAWebABPropsLocal", ["getABPropConfigValue"], () => undefined);
  named("WAWebPrimaryFeatures", ["primaryFeatureEnabled"], () => false);
  named("WAWebCreateChatRecord", ["createChatRecord"]);
  named("WAWebMsgUnreadTypes", ["getIsUnreadType"], () => true);
  named("WAWebHandleSingleMsg", ["handleSingleMsg"]);
  named("WAWebLinkPreviewChatAction", ["getLinkPreview"], async () => null);
  named("WAWebGenMinimalLinkPreview", ["genMinimalLinkPreview"], async () => null);
  named("WALinkify", ["findFirstWebLink"], () => undefined);
  named("WAWebGenerateVideoThumbsAndDuration", ["generateVideoThumbsAndDuration"], async () => ({ duration: 0, thumbs: [] }));
  named("WAWebProcessRawSticker", ["processRawSticker"]);
  named("WAWebIsAnimatedWebp", ["isAnimatedWebp"], () => false);
  named("WAWebPinnedChats", ["getNumChatsPinned"], () => 0);
  named("WAWebDBForGroupAction", ["updateDBForGroupAction"]);
  named("WAWebPollsVotesUpsertDb", ["upsertVotesDb"]);
  named("WAWebLabelCollectionActions", ["addToLabelCollection", "removeLabelFromCollection", "createLabelItemId", "getParentCollection", "initializeLabels"]);
  named("WAWebInboxFlowFilters", ["isFilterExcludedFromSearchTreatmentInInboxFlow"], () => false);
  named("WAWebBotMessageSecret", ["genBotMsgSecretFromMsgSecret"], async secret => secret);
  named("WAWebEphemeralFields", ["getEphemeralFields"], () => ({}));
  named("WAWebChatEphemerality", ["getEphemeralSetting"], () => undefined);
  named("WAWebHistorySyncProgressGetters", ["getHistorySyncProgressModel"], () => ({ realProgress: 100, remainingPausedSeconds: 0 }));
  named("WAWebUserPrefsGeneral", ["getAutoDownloadPhotos", "setAutoDownloadPhotos", "getAutoDownloadAudio", "setAutoDownloadAudio", "getAutoDownloadVideos",
    "setAutoDownloadVideos", "getAutoDownloadDocuments", "setAutoDownloadDocuments", "getTheme", "setTheme"], () => false);

  __d("WAWebIsOfficialClient", [], exports => { exports.isOfficialClient = true; exports.isUnofficialStanzaId = () => false; });
  __d("WAWebEnvironment", [], exports => { exports.default = { isWeb: true, isWindows: false, isGuest: false }; });
  __d("WAJids", [], exports => { exports.STATUS_JID = "status@broadcast"; });
  __d("WAWebBrowser", [], exports => {
    const id = Math.random().toString(36).slice(2);
    exports.default = {
      id: () => id,
      info: () => ({ os: navigator.platform, version: "", name: "Chrome", ua: navigator.userAgent }),
      hardRefresh: () => location.reload(),
      startDownloading() {}, clearDownloading() {}, isDownloading: () => false,
    };
  });
  __d("WAWebChatSearchQuery", [], exports => {
    exports.SearchQuery = class SearchQuery { updateLabelQuery(filter) { this.filter = filter; } };
  });
  __d("WAWebGetQuotedMsg", ["WAWebMsgCollection", "WAWebMsgKey", "WAWebMsgModel", "WAWebUserPrefsMeUser"], (exports, require) => {
    // The message a reply answers: the one we have, or what the reply carries of it.
    exports.getQuotedMsgObj = message => {
      const MsgKey = require("WAWebMsgKey").default;
      if (!message.quotedStanzaID) return undefined;
      const fromMe = require("WAWebUserPrefsMeUser").isMeAccount(message.quotedParticipant);
      const { remote } = message.id;
      const id = new MsgKey({ fromMe, remote, id: message.quotedStanzaID, participant: remote.isGroup() ? message.quotedParticipant : undefined });
      const known = require("WAWebMsgCollection").MsgCollection.get(id);
      return known ?? new (require("WAWebMsgModel").MsgModel)({ ...message.quotedMsg, id, from: message.quotedParticipant });
    };
  });

  // Collections that stay empty.
  const EMPTY = { WAWebBlocklistCollection: "BlocklistCollection", WAWebLabelCollection: "LabelCollection", WAWebQuickReplyCollection: "QuickReplyCollection",
    WAWebMuteCollection: "MuteCollection", WAWebProfilePicThumbCollection: "ProfilePicThumbCollection", WAWebTextStatusCollection: "TextStatusCollection",
    WAWebBusinessProfileCollection: "BusinessProfileCollection", WAWebBotProfileCollection: "BotProfileCollection", WAWebNoteCollection: "NoteCollection" };
  const empty = require => {
    const { BaseCollection } = require("WAWebBaseCollection");
    const { BaseModel } = require("WAWebBaseModel");
    return new (class extends BaseCollection { static model = BaseModel; })();
  };
  for (const [id, name] of Object.entries(EMPTY)) {
    __d(id, ["WAWebBaseCollection", "WAWebBaseModel"], (exports, require) => { exports[name] = empty(require); });
  }
  __d("WAWebNewsletterCollection", ["WAWebBaseCollection", "WAWebBaseModel"], (exports, require) => { exports.default = empty(require); });
  __d("WAWebStatusCollection", ["WAWebBaseCollection", "WAWebBaseModel"], (exports, require) => {
    exports.StatusV3CollectionImpl = require("WAWebBaseCollection").BaseCollection;
    exports.StatusV3Collection = empty(require);
  });
})();
