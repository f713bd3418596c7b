"""Forms of the social site."""

from django import forms

from example_project.social.models import Post


class PostForm(forms.ModelForm):
    """A post's text."""

    class Meta:
        model = Post
        fields = ("text",)
        labels = {"text": "What is new?"}
        error_messages = {"text": {"required": "Write something first."}}
        widgets = {
            "text": forms.Textarea(
                attrs={"rows": 3, "maxlength": 500, "placeholder": "A thought, a question, a small victory…"}
            )
        }
