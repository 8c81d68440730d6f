// Groups and who is in them.
__d("WAWebParticipantModel", ["WAWebBaseModel"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class ParticipantModel extends BaseModel {
    get contact() { return require("WAWebContactCollection").ContactCollection.sure(this.id); }
  }
  exports.ParticipantModel = defineModel(ParticipantModel, "participant", ["id", "isAdmin", "isSuperAdmin"]);
});

__d("WAWebParticipantCollection", ["WAWebBaseCollection", "WAWebParticipantModel", "WAWebUserPrefsMeUser"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  class ParticipantCollection extends BaseCollection {
    static model = require("WAWebParticipantModel").ParticipantModel;
    me() { return this.findFirst(member => require("WAWebUserPrefsMeUser").isMeAccount(member.id)); }
    iAmMember() { return Boolean(this.me()); }
    iAmAdmin() { return Boolean(this.me()?.isAdmin); }
    iAmSuperAdmin() { return Boolean(this.me()?.isSuperAdmin); }
    iAmRestrictedMember() { return false; }
  }
  exports.ParticipantCollection = ParticipantCollection;
});

__d("WAWebGroupMetadataModel", ["WAWebBaseModel", "WAWebParticipantCollection"], (exports, require) => {
  const { BaseModel, defineModel } = require("WAWebBaseModel");
  class GroupMetadata extends BaseModel {
    initialize() { this.participants = new (require("WAWebParticipantCollection").ParticipantCollection)(); }
    get groupType() { return "DEFAULT"; }
    canSetSubject() { return this.participants.iAmAdmin(); }
    canSetDescription() { return this.participants.iAmAdmin(); }
  }
  exports.default = defineModel(GroupMetadata, "group-metadata", ["id", "creation", "owner", "subject", "desc", "restrict", "announce", "size", "stale",
    "isLidAddressingMode", "memberAddMode", "isParentGroup", "membershipApprovalMode"]);
});

__d("WAWebGroupMetadataCollection", ["WAWebBaseCollection", "WAWebGroupMetadataModel", "WAWebWidFactory", "WAWebModelStorage"], (exports, require) => {
  const { BaseCollection } = require("WAWebBaseCollection");
  const { createWid } = require("WAWebWidFactory");
  const storage = require("WAWebModelStorage");

  class GroupMetadataCollection extends BaseCollection {
    static model = require("WAWebGroupMetadataModel").default;
    _handleParentGroupChange() {}

    learn(group, options) {
      const { id, subject, owner, creation, participants } = group;
      const { ContactCollection } = require("WAWebContactCollection");
      const known = this.add({ id: createWid(id), subject, owner: createWid(owner), creation, size: participants.length, stale: false,
        isLidAddressingMode: true, restrict: false, announce: false }, { merge: true });
      known.participants.add(participants.map(member => {
        ContactCollection.learn({ id: member.id, pn: member.pn });
        return { id: createWid(member.id), isAdmin: member.isAdmin, isSuperAdmin: member.isAdmin };
      }), { merge: true });
      if (!options?.silent) storage.put("group-metadata", group);
      require("WAWebChatCollection").ChatCollection.sure(known.id, { name: subject, t: creation, isParentGroup: false }, options);
      return known;
    }

    // A group this page has not been told of yet.
    async ask(id) {
      const { group } = await require("WAWebSocketModel").Socket.requestSoon("group_of", { group: String(id) });
      return this.learn(group);
    }

    async restore() { for (const group of await storage.getAll("group-metadata")) this.learn(group, { silent: true }); }
  }
  exports.default = new GroupMetadataCollection();
});

__d("WAWebGroupQueryJob", ["WAWebGroupMetadataCollection"], (exports, require) => {
  exports.queryAllGroups = async () => require("WAWebGroupMetadataCollection").default.map(group => ({ id: group.id, subject: group.subject }));
});

__d("WAWebGroupCreateJob", ["WAWebGroupMetadataCollection", "WAWebSocketModel"], (exports, require) => {
  exports.GroupAlreadyExistsError = class GroupAlreadyExistsError extends Error {};
  exports.createGroup = async ({ title }, participants) => {
    const members = participants.map(member => String(member.phoneNumber ?? member));
    const { group } = await require("WAWebSocketModel").Socket.requestSoon("group", { subject: title, members });
    const known = require("WAWebGroupMetadataCollection").default.learn(group);
    const joined = participants.map(member => ({ wid: member.phoneNumber ?? member, error: null, invite_code: null, invite_code_exp: null }));
    return { wid: known.id, participants: joined };
  };
});
