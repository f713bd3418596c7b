"""Forms of the social site."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.contrib.auth.models import User
from django.db import transaction

from django_stream import notifications
from example_project.social import media
from example_project.social.models import Comment, Post


class PostForm(forms.ModelForm):
    """A post's text, and an image with words for those who do not see it."""

    photo = forms.FileField(
        label="Image", required=False, widget=forms.FileInput(attrs={"accept": "image/*"})
    )

    class Meta:
        model = Post
        fields = ("text", "image_alt")
        labels = {"text": "What is new?", "image_alt": "Words for those who do not see the image"}
        error_messages = {"text": {"required": "Write something first."}}
        widgets = {
            "text": forms.Textarea(
                attrs={"rows": 3, "maxlength": 500, "placeholder": "A thought, a question, a small victory…"}
            )
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        photo = cleaned.get("photo")
        if photo and not cleaned.get("image_alt"):
            self.add_error("image_alt", "Say in a few words what the image shows.")
        elif photo and not self.errors:
            self.instance.image = media.store_image(photo)
        elif not self.errors:
            self.instance.preview = media.preview_of(cleaned["text"])
        return cleaned


class CommentForm(forms.ModelForm):
    """A comment's text."""

    class Meta:
        model = Comment
        fields = ("text",)
        labels = {"text": "Your comment"}
        error_messages = {"text": {"required": "Write something first."}}
        widgets = {"text": forms.Textarea(attrs={"rows": 2, "maxlength": 300})}


class SignUpForm(BaseUserCreationForm):
    """A name to sign in with, the name that others read, and a password."""

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username", "first_name", "last_name")


class SettingsForm(forms.ModelForm):
    """The name that others read, and whether followers are let in one by one."""

    is_private = forms.BooleanField(
        label="Private account",
        required=False,
        help_text="Only those whom you let in see what you post.",
    )

    class Meta:
        model = User
        fields = ("first_name", "last_name")


class PreferencesForm(forms.ModelForm):
    """Where a user hears of which verb, and how often an e-mail tells what is new."""

    VERBS: ClassVar = {
        "like": "Likes of your posts",
        "comment": "Comments on your posts",
        "follow": "New followers, and requests to follow you",
    }
    digest = forms.ChoiceField(
        label="An e-mail of what you have not seen",
        choices=[("off", "Never"), ("daily", "Every day"), ("weekly", "Every week")],
    )

    class Meta:
        model = User
        fields = ("email",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = notifications.preferences(self.instance)
        self.fields["digest"].initial = chosen.digest
        for verb in self.VERBS:
            channels = chosen.verbs.get(verb, notifications.Channels())
            for channel, label in (("in_feed", "On this site"), ("by_email", "In the e-mail")):
                self.fields[f"{verb}_{channel}"] = forms.BooleanField(
                    label=label, required=False, initial=getattr(channels, channel)
                )

    def verbs(self) -> list[tuple[str, list[forms.BoundField]]]:
        """What there is to hear of, each with its two boxes."""
        return [
            (label, [self[f"{verb}_in_feed"], self[f"{verb}_by_email"]]) for verb, label in self.VERBS.items()
        ]

    @transaction.atomic
    def save(self, commit: bool = True) -> Any:
        user, chosen = super().save(commit), self.cleaned_data
        notifications.set_digest(user, chosen["digest"])
        for verb in self.VERBS:
            notifications.set_preference(
                user, verb, in_feed=chosen[f"{verb}_in_feed"], by_email=chosen[f"{verb}_by_email"]
            )
        return user
