// People: their two addresses, their names, and whether they are on WhatsApp.
__d("WAWebLidPnCache", ["WAWebWidFactory"], (exports, require) => {
  const { createWid } = require("WAWebWidFactory");
  const byLid = new Map(), byPn = new Map();
  const text = value => (typeof value === "string" ? value : value?._serialized);

  exports.lidPnCache = {
    learn(lid, pn) {
      if (!lid || !pn || byLid.get(lid) === pn) return false;
      byLid.set(lid, pn);
      byPn.set(pn, lid);
      return true;
    },
    add(lid, entry) { this.learn(text(lid), text(entry.phoneNumber)); },
    getPhoneNumber: lid => (byLid.has(text(lid)) ? createWid(byLid.get(text(lid))) : undefined),
    getCurrentLid: pn => (byPn.has(text(pn)) ? createWid(byPn.get(text(pn))) : undefined),
    getLidEntry(lid) {
      const phoneNumber = this.getPhoneNumber(lid);
      return phoneNumber && { lid: createWid(text(lid)), phoneNumber, phoneNumberCreatedAt: 0 };
    },
    getAllLids: () => [...byLid.keys()].map(createWid),
    remove(lid) { byPn.delete(byLid.get(text(lid))); byLid.delete(text(lid)); },
    clear() { byLid.clear(); byPn.clear(); },
  };
});

__d("WAWebApiContact", ["WAWebLidPnCache"], (exports, require) => {
  const { lidPnCache } = require("WAWebLidPnCache");
  exports.getCurrentLid = wid => (wid.isLid() ? wid : lidPnCache.getCurrentLid(wid) ?? null);
  exports.getLatestLid = exports.getCurrentLid;
  exports.getPhoneNumber = wid => (wid.isLid() ? lidPnCache.getPhoneNumber(wid) ?? null : wid);
  exports.hasLidMapping = wid => exports.getCurrentLid(wid) !== null;
  exports.getAlternateUserWid = wid => (wid.isLid() ? exports.getPhoneNumber(wid) : exports.getCurrentLid(wid));
  exports.getAllLidContacts = () => lidPnCache.getAllLids();
  exports.isAddressBookContact = () => false;
});

__d("WAWebLidMigrationUtils", ["WAWebApiContact"], (exports, require) => {
  const { getCurrentLid } = require("WAWebApiContact");
  exports.toUserLid = wid => getCurrentLid(wid) ?? undefined;
  exports.toUserLidOrThrow = wid => {
    const lid = getCurrentLid(wid);
    if (!lid) throw new Error("No LID for user");
    return lid;
  };
  exports.toLid = exports.toUserLid;
  exports.shouldHaveAccountLid = () => false;
});

__d("WAWebLid1X1MigrationGating", ["WAWebLidSetting"], (exports, require) => {
  exports.Lid1X1MigrationUtils = {
    isLidMigrated: () => require("WAWebLidSetting").value,
    isSyncdSessionMigrated: () => require("WAWebLidSetting").value,
    shouldApplyNonMigratedMessagingRules: () => false,
    setIsLidMigrated() {},
  };
});

__d("WAWebContactModel", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class ContactModel extends BaseModel {
    get displayName() { return require("WAWebFrontendContactGetters").getDisplayName(this); }
    isBlocked() { return false; }
    getStatus() { return this.status; }
  }
  exports.default = defineModel(ContactModel, "contact", ["id", "name", "shortName", "pushname", "type", "verifiedName", "isBusiness",
    "isEnterprise", "verifiedLevel", "privacyMode", "labels", "username", "isContactBlocked", "disappearingModeDuration",
    "disappearingModeSettingTimestamp", "status", "businessProfile", "profilePicThumb", "commonGroups", "phoneNumber"]);
});

__d("WAWebContactCollection", ["WAWebBaseCollection", "WAWebContactModel", "WAWebLidPnCache", "WAWebModelStorage", "WAWebWidFactory"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { lidPnCache } = require("WAWebLidPnCache");
  const { createWid, maybe } = require("WAWebWidFactory");
  const storage = require("WAWebModelStorage");

  class ContactCollectionImpl extends BaseCollection {
    static model = require("WAWebContactModel").default;

    // Remember what is known of somebody; `id` is the address in use, `pn` the number behind it.
    learn({ id, pn, lid, name, business }) {
      lidPnCache.learn(lid ?? (id?.endsWith("@lid") ? id : undefined), pn);
      const known = this.get(id);
      if (known) {
        if (name && name !== known.pushname) {
          known.set({ pushname: name });
          this.keep(known);
        }
        return known;
      }
      const contact = this.add({ id: createWid(id), pushname: name || undefined, isBusiness: Boolean(business), isEnterprise: false,
        type: "in", isContactBlocked: false, phoneNumber: maybe(pn ?? "") });
      this.keep(contact);
      return contact;
    }

    keep(contact) {
      const { pushname, isBusiness } = contact;
      storage.put("contact", { id: String(contact.id), pn: contact.phoneNumber && String(contact.phoneNumber), name: pushname, business: isBusiness });
    }

    async restore() {
      for (const { id, pn, name, business } of await storage.getAll("contact")) {
        if (id.endsWith("@lid")) lidPnCache.learn(id, pn);
        this.add({ id: createWid(id), pushname: name, isBusiness: business, isEnterprise: false, type: "in", isContactBlocked: false,
          phoneNumber: maybe(pn ?? "") }, { silent: true });
      }
    }

    // Somebody the page shows without having met them: a group's member, me.
    sure(wid) { return this.get(wid) ?? this.add({ id: wid, isBusiness: false, isEnterprise: false, type: "out", isContactBlocked: false }, { silent: true }); }
    getFilteredContacts() { return this.toArray(); }
  }
  exports.ContactCollectionImpl = ContactCollectionImpl;
  exports.ContactCollection = new ContactCollectionImpl();
});

__d("WAWebContactGetters", ["WAWebUserPrefsMeUser"], (exports, require) => {
  exports.getNotifyName = contact => contact.pushname;
  exports.getPremiumMessageName = () => undefined;
  exports.getUserid = contact => contact.id.user;
  exports.getUserhash = contact => contact.id.user;
  exports.getIsMe = contact => require("WAWebUserPrefsMeUser").isMeAccount(contact.id);
  exports.getIsUser = contact => contact.id.isUser();
  exports.getIsGroup = contact => contact.id.isGroup();
  exports.getIsBroadcast = contact => contact.id.isBroadcast();
  exports.getIsNewsletter = contact => contact.id.isNewsletter();
  exports.getIsPSA = contact => contact.id.isPSA();
  for (const name of ["getIsIAS", "getIsSupportAccount", "getCanRequestPhoneNumber", "getShowBusinessCheckmarkAsPrimary",
    "getShowBusinessCheckmarkAsSecondary", "getShowBusinessCheckmarkInChatlist", "getIsDisplayNameApproved", "getShouldForceBusinessUpdate"]) {
    exports[name] = () => false;
  }
  exports.getIsWAContact = contact => contact.type === "in";
});

__d("WAWebFrontendContactGetters", ["WAWebLidPnCache"], (exports, require) => {
  const { lidPnCache } = require("WAWebLidPnCache");
  const phone = contact => (contact.id.isLid() ? lidPnCache.getPhoneNumber(contact.id) : contact.id);
  exports.getPhoneNumber = phone;
  exports.getTextStatusString = () => "";
  exports.getPnForLid = contact => (contact.id.isLid() ? phone(contact) : undefined);
  exports.getFormattedPhone = contact => (phone(contact) ? `+${phone(contact).user}` : "");
  exports.getFormattedUsernameOrPhone = exports.getFormattedPhone;
  exports.getFormattedName = contact => contact.name || contact.verifiedName || (contact.pushname ? `~${contact.pushname}` : "") || exports.getFormattedPhone(contact);
  exports.getFormattedShortName = contact => contact.shortName || contact.pushname || exports.getFormattedPhone(contact);
  exports.getFormattedShortNameWithNonBreakingSpaces = contact => exports.getFormattedShortName(contact).replaceAll(" ", "\u00a0");
  exports.getFormattedUser = contact => contact.id.user;
  exports.getDisplayName = contact => contact.name || contact.pushname || exports.getFormattedPhone(contact);
  exports.getDisplayNameOrPnForLid = exports.getDisplayName;
  exports.getSearchName = contact => exports.getDisplayName(contact).toLowerCase();
});

__d("WAWebFrontendContactListGetters", ["WAWebFrontendContactGetters"], (exports, require) => {
  exports.getIsMyContact = contact => Boolean(contact.name);
  exports.getMentionName = contact => require("WAWebFrontendContactGetters").getDisplayName(contact);
  exports.getSearchVerifiedName = contact => contact.verifiedName;
  exports.getHeader = contact => require("WAWebFrontendContactGetters").getDisplayName(contact)[0] ?? "";
});

__d("WAWebQueryExistsJob", ["WAWebSocketModel", "WAWebContactCollection", "WAWebWidFactory", "WAWebLidSetting"], (exports, require) => {
  const { createWid } = require("WAWebWidFactory");

  // Ask the server about an address; what it says is remembered. null: nobody is there.
  exports.queryWidExists = async wid => {
    const found = await require("WAWebSocketModel").Socket.requestSoon("exists", { address: String(wid) });
    if (!found.exists) return null;
    const id = require("WAWebLidSetting").value ? found.lid : found.pn;
    require("WAWebContactCollection").ContactCollection.learn({ ...found, id });
    return { wid: createWid(wid.isLid() ? found.lid : found.pn), biz: found.business, bizInfo: undefined, disappearingMode: undefined, username: undefined };
  };
  exports.queryPhoneExists = exports.queryWidExists;
});

__d("WAWebVcard", ["WAWebFrontendContactGetters"], (exports, require) => {
  const { getDisplayName, getPhoneNumber } = require("WAWebFrontendContactGetters");
  exports.vcardFromContactModel = contact => {
    const displayName = contact.displayName ?? getDisplayName(contact);
    const number = getPhoneNumber(contact)?.user ?? contact.id.user;
    const lines = ["BEGIN:VCARD", "VERSION:3.0", `N:;${displayName};;;`, `FN:${displayName}`, `TEL;type=CELL;waid=${number}:+${number}`, "END:VCARD"];
    return { displayName, vcard: lines.join("\n"), isMultiVcard: false };
  };
  exports.mergeVcards = vcards => ({ displayName: `${vcards.length} contacts`, vcard: vcards.map(card => card.vcard).join("\n"), isMultiVcard: true });
});
